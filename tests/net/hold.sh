# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# hold.sh - connections of the client that stay open, to be sourced after lab.sh: see
# holder.py.

# hold_start ADDRESS PORT
hold_start()
{
	rm -f "${lab_tmp:?}/hold" "$lab_tmp/held"
	mkfifo "$lab_tmp/hold" "$lab_tmp/held" || return 1
	nsenter --net="/run/netns/${lab_id:?}-client" -- "${lab_python:?}" \
		"${lab_top:?}/tests/net/holder.py" "$@" \
		<"$lab_tmp/hold" >"$lab_tmp/held" 2>"$lab_tmp/holder.log" &
	hold_pid=$!
	# shellcheck disable=SC2034 # lab.sh's
	lab_pids["$hold_pid"]=1
	exec {hold_tell}>"$lab_tmp/hold" {hold_told}<"$lab_tmp/held"
}

# hold COMMAND WORD...: what the holder says to it is in $held.
hold()
{
	held=
	echo "$*" >&"$hold_tell" && read -r held <&"$hold_told" && return
	tail -n 3 "$lab_tmp/holder.log"
	return 1
}

# hold_stop: whatever is open is closed.
hold_stop()
{
	lab_end "$hold_pid"
	exec {hold_tell}>&- {hold_told}<&-
}

# holds PATTERN COMMAND WORD...: and it says that.
holds()
{
	local pattern=$1

	shift
	hold "$@" || return 1
	# shellcheck disable=SC2053 # a pattern
	[[ $held == $pattern ]] && return
	echo "$*: '$held', wanted $pattern"
	return 1
}
