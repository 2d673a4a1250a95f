#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_others.sh - other people's programs and tools beside the chain, on Debian 12's kernel.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/suite.sh" "$here/guest_others.sh"
