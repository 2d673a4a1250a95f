#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guest_all.sh OBJECT... - all that is to be shown on one kernel, in a guest.
here=$(dirname "$0")
status=0
"$here/load.py" --tap "$@" || status=1
"$here/guest_chain.sh" native skb || status=1
"$here/guest_devices.sh" || status=1
exit "$status"
