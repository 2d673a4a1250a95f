#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_6_1.sh - every object and the whole chain behind libxdp's dispatcher, on Debian 12's
# kernel.
#
# Both modes share one boot, and one machine: what the first leaves behind is the second's
# problem too.
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
shopt -s nullglob
exec "$here/suite.sh" "$here/guest_all.sh" "$build"/{progs,policies}/*.bpf.o \
	"$build/dispatcher/xdp-dispatcher.o"
