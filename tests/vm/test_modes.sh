#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_modes.sh - tunnels, VLANs and bridges: with devices that Debian 12's kernel has, and
# the one that tests run on may not have.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/suite.sh" "$here/guest_modes.sh"
