#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# suite.sh [-k SERIES] SCRIPT [ARG...] - a script in a guest, as a test suite; with Debian 12's
# kernel, 6.1, unless a series is named.
#
# Each check in the guest is a test here, numbered anew: a guest may run several scripts.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tests=0

# Number what the guest says, so that lines which got lost are missed.
relay() {
	local line
	while IFS= read -r line; do
		case $line in
		"ok "*"- "* | "not ok "*"- "*)
			tests=$((tests + 1))
			[[ $line =~ ^((not )?ok)\ [0-9]*\ ?-\ (.*) ]]
			echo "${BASH_REMATCH[1]} $tests - ${BASH_REMATCH[3]}"
			;;
		1..*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

if [ "$(dpkg --print-architecture)" != amd64 ]; then
	echo "1..0 # SKIP the emulated machine is an x86-64"
	exit 0
fi
shopt -s lastpipe
"$here/vm.sh" -t 1100 "$@" | relay
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
