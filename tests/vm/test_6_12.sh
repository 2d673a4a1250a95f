#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_6_12.sh - the same as test_6_1.sh on the newer kernel for Debian 12, where libxdp's
# dispatcher is refused for tail calls and lbctl's takes its place.
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
shopt -s nullglob
exec "$here/suite.sh" -k 6.12 "$here/guest_all.sh" "$build"/{progs,policies}/*.bpf.o \
	"$build/dispatcher/xdp-dispatcher.o"
