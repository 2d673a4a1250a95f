#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_6_1.sh - every object and the whole chain behind libxdp's dispatcher, on Debian 12's
# kernel.
#
# Each check in the guest is a test here. Both modes share one boot, and one machine: what
# the first leaves behind is the second's problem too.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
tests=0

# Number what the guest says, so that lines which got lost are missed.
relay() {
	local line
	while IFS= read -r line; do
		case $line in
		"ok - "* | "not ok - "*)
			tests=$((tests + 1))
			printf '%s %d %s\n' "${line%% - *}" "$tests" "- ${line#* - }"
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

if [ "$(dpkg --print-architecture)" != amd64 ]; then
	echo "1..0 # SKIP the emulated machine is an x86-64"
	exit 0
fi
shopt -s nullglob lastpipe
"$here/vm.sh" -t 900 "$here/guest_all.sh" "$build"/{progs,policies}/*.bpf.o | relay
status=${PIPESTATUS[0]}
case $status in
0 | 1) ;;
*)
	tests=$((tests + 1))
	echo "not ok $tests - the guest comes to its end (vm.sh: exit status $status)"
	;;
esac
echo "1..$tests"
exit "$status"
