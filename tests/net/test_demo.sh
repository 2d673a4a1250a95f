#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_demo.sh - the demo ends well, says so, and leaves nothing behind, also after ^C.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

demo=$lab_top/tests/net/demo.sh

# What a demo of this pid would leave.
left()
{
	ip netns list | grep "^swy-$1-"
	ls -d "/sys/fs/bpf/swy-$1" "${TMPDIR:-/tmp}/swy-$1".* 2>/dev/null
	pgrep -a -f "backend.py|client.py" | grep "swy-$1-"
}

nothing_left()
{
	is "$(left "$demo_pid")" ''
}

# Who started us in the background may have us ignore ^C.
run_demo()
{
	env --default-signal=INT "$demo" >"$lab_tmp/demo" 2>&1 &
	demo_pid=$!
	lab_pids[$demo_pid]=1
}

succeeds()
{
	local status begin=$SECONDS

	run_demo
	wait "$demo_pid"
	status=$?
	unset "lab_pids[$demo_pid]"
	echo "# $((SECONDS - begin)) s"
	cat "$lab_tmp/demo"
	is "$status" 0 && [ $((SECONDS - begin)) -lt 60 ]
}

shows()
{
	local word

	for word in '10.0.0.10:8000' round-robin hash weighted b4 'policy set' drain \
		'0 failures'; do
		grep -q -- "$word" "$lab_tmp/demo" || { echo "no '$word'"; return 1; }
	done
}

# In a process group of its own, as a terminal would make one, with ^C for all of it.
interrupted()
{
	local status _

	set -m
	run_demo
	set +m
	for _ in {1..200}; do
		grep -q 'policy set hash' "$lab_tmp/demo" && break
		sleep 0.1
	done
	kill -INT -- "-$demo_pid"
	wait "$demo_pid"
	status=$?
	unset "lab_pids[$demo_pid]"
	cat "$lab_tmp/demo"
	is "$status" 130
}

lab_open
check 'the demo ends well, within a minute' succeeds
check 'it shows what it is for' shows
check 'nothing is left of it' nothing_left
check 'after ^C in the middle, it ends' interrupted
check 'nothing is left of it then, either' nothing_left
lab_clear
tap_end
