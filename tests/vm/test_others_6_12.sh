#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_others_6_12.sh - the same as test_others.sh behind lbctl's dispatcher.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/suite.sh" -k 6.12 "$here/guest_others.sh"
