#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_drain.sh - a backend is drained: it gets nothing new, keeps what it has, and lbctl
# tells how many flows are left until none are, or the time is over.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/hold.sh
. "$(dirname "$0")/hold.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"

lines=10.0.0.10:9000/tcp
http=10.0.0.10:8000/tcp
on_b3=()	# connections that b3 has

configure()
{
	lbctl -b /dev/stdin <<-END
		service add $lines forward fullnat
		backend add $lines 10.0.0.2
		backend add $lines 10.0.0.3
		service add $http forward fullnat
		backend add $http 10.0.0.2
		backend add $http 10.0.0.3
	END
}

# open_on_b3 COUNT: and as many others as come by.
open_on_b3()
{
	local n=0

	on_b3=()
	while [ ${#on_b3[@]} -lt "$1" ]; do
		n=$((n + 1))
		hold open "c$n" || return 1
		[ "$held" != b3 ] || on_b3+=("c$n")
		[ "$n" -lt 100 ] || return 1
	done
	echo "# $n connections, b3 has ${#on_b3[@]} of them"
}

# shellcheck disable=SC2016 # the inner shell's
# drain_begins SERVICE TIME: in the background, to $lab_tmp/drain.
drain_begins()
{
	lab_start lb bash -c '"$@" >"$0" 2>"$0.err"' "$lab_tmp/drain" "$lab_build/lbctl" \
		--pin-dir "$lab_pins" backend drain "$1" 10.0.0.3 wait "$2"
	drain_pid=$lab_pid
}

# drain_ends STATUS
drain_ends()
{
	local status

	wait "$drain_pid"
	status=$?
	unset "lab_pids[$drain_pid]"
	cat "$lab_tmp/drain" "$lab_tmp/drain.err"
	is "$status" "$1"
}

drain_runs()
{
	kill -0 "$drain_pid"
}

# numbers: of flows left, as they were printed.
numbers()
{
	grep -oE '[0-9]+ (live )?flows? left' "$lab_tmp/drain" | cut -d ' ' -f 1 | xargs
}

state_is()
{
	is "$(lbctl -j backend show "$1" |
		jq -r '.backends[] | select(.backend | startswith("10.0.0.3")) | .state')" "$2"
}

# ---- a drain that comes to its end -------------------------------------------------------

begins()
{
	drain_begins "$lines" 60s
	for _ in {1..50}; do
		state_is "$lines" drain >/dev/null 2>&1 && [ -n "$(numbers)" ] && return
		sleep 0.1
	done
	cat "$lab_tmp/drain" "$lab_tmp/drain.err"
	return 1
}

nothing_new()
{
	holds 'b2=20 lost=0' spread 20 && drain_runs
}

keeps()
{
	holds "open=* moved=0 lost=0" round
}

keeps_meanwhile()
{
	keeps && drain_runs
}

# Each is told within two seconds, in a line of its own.
as_they_go()
{
	local n wanted=${#on_b3[@]}

	for ((n = ${#on_b3[@]} - 1; n >= 1; n--)); do
		hold close "${on_b3[n]}" || return 1
		wanted+=" $n"
		sleep 2
		is "$(numbers)" "$wanted" || return 1
	done
	drain_runs
}

last_goes()
{
	hold close "${on_b3[0]}" && drain_ends 0 && is "$(cat "$lab_tmp/drain.err")" ''
}

# ---- and one that does not ---------------------------------------------------------------

active_again()
{
	lbctl backend set all 10.0.0.3 state active && hold empty && state_is "$lines" active
}

too_short()
{
	local begin=$SECONDS

	drain_begins "$lines" 2s
	drain_ends 1 || return 1
	echo "# $((SECONDS - begin)) s"
	[ $((SECONDS - begin)) -le 4 ] && is "$(wc -l <"$lab_tmp/drain.err")" 1 &&
		grep -q "'10.0.0.3'.* 2 live flows left.*drain" "$lab_tmp/drain.err" &&
		state_is "$lines" drain
}

# ---- everywhere --------------------------------------------------------------------------

# Its flows of one service are gone, those of another are not.
everywhere()
{
	local n

	drain_begins all 30s
	sleep 1
	state_is "$lines" drain && state_is "$http" drain || return 1
	for n in 1 2 3 4; do
		answers b2 get 10.0.0.10:8000 || return 1
	done
	drain_runs || return 1
	hold empty && drain_ends 0
}

lab_open
lab_basic 2 3
lab_attach native
check 'services are configured' configure
hold_start 10.0.0.10 9000
check 'connections are open' open_on_b3 4
check 'a drain begins, waits and says how many flows are left' begins
check 'meanwhile the backend gets nothing new' nothing_new
check 'meanwhile it keeps what it has' keeps_meanwhile
check 'flows that end are told as they go' as_they_go
check 'the last one ends it, with status 0' last_goes
check 'active again' active_again
check 'connections are open again' open_on_b3 2
check 'when time is over it says what is left, with status 1' too_short
check 'they live on' keeps
check 'active once more' active_again
check 'and connections are open once more' open_on_b3 1
check 'a host is drained everywhere, and waited for' everywhere
hold_stop
lab_clear
tap_end
