#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guest_others.sh - other people's programs and tools beside the chain, in a guest.
here=$(dirname "$0")
status=0
"$here/guest_dispatcher.sh" || status=1
# Elsewhere xdp-loader's dispatcher is refused for the chain.
case $(uname -r) in
6.1.*) "$here/../net/test_xdp_loader.sh" dispatcher || status=1 ;;
esac
exit "$status"
