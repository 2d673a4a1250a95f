# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tap.sh - tests as commands, to be sourced after lab.sh.

tap_n=0
tap_failed=0

# check NAME COMMAND...: one test, in this shell.  Lines of its output that begin with
# "# " are always shown, the others if it failed.
check()
{
	local name=$1 said=${lab_tmp:?}/said

	shift
	tap_n=$((tap_n + 1))
	if "$@" >"$said" 2>&1; then
		echo "ok $tap_n - $name"
		grep '^# ' "$said"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_n - $name"
	{
		echo "$*"
		tail -n 40 "$said"
	} | sed 's/^\(# \)*/# /'
	return 1
}

# tap_end: the plan, which a script that died has not; the status.
tap_end()
{
	echo "1..$tap_n"
	[ "$tap_failed" -eq 0 ]
}

# is FOUND WANTED: says both if they differ.
is()
{
	[ "$1" = "$2" ] && return
	printf "found '%s', wanted '%s'\n" "$1" "$2"
	return 1
}
