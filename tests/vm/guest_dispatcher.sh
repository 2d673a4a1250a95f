#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_dispatcher.sh - other people's programs that lbctl loads and unloads, in a guest.
set -uo pipefail
# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../net/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/../net/tap.sh"
pass=$lab_build/tests/net/pass.bpf.o

# says REGEX COMMAND...: whether it fails or not.
says()
{
	local regex=$1 said

	shift
	said=$("$@" 2>&1)
	grep -qE -- "$regex" <<<"$said" || {
		printf "no '%s' in:\n%s\n" "$regex" "$said"
		return 1
	}
}

# are PROGRAM...: those behind the dispatcher, in order.
are()
{
	local found

	found=$(lbctl -j chain show eth0 |
		jq -r '[.programs[] | select(.order > 0).program] | join(" ")')
	[ "$found" = "$*" ] || {
		echo "there are '$found', not '$*'"
		return 1
	}
}

id_of()
{
	lbctl -j chain show eth0 | jq "[.programs[] | select(.program == \"$1\").id][0]"
}

unload()
{
	lbctl chain unload eth0 id "$(id_of "$1")"
}

counter_up()
{
	lbctl chain load "$lab_build/tests/vm/counter.bpf.o" eth0 "$@"
}

others_come_and_go()
{
	check "dispatcher: another program joins the chain, where it wants to be" counter_up
	check "dispatcher: ... behind it" are lb_entry counter
	check "dispatcher: 'chain show' says that it does not see all" \
		says "^! eth0: 'counter' runs after lb_entry" lbctl chain show
	check "dispatcher: it is taken off" unload counter
	check "dispatcher: ... and the chain stays" are lb_entry
	check "dispatcher: it joins at a priority of one's own" counter_up priority 20 prog counter
	check "dispatcher: ... before the chain" are counter lb_entry
	check "dispatcher: the chain itself is not unloaded" \
		says "is the chain itself" unload lb_entry
	check "dispatcher: ... and the dispatcher is not, either" \
		says "goes with its last program" unload xdp_dispatcher
	check "dispatcher: all are there as before" are counter lb_entry
	check "dispatcher: the chain is detached" lbctl -q chain detach eth0
	check "dispatcher: ... and the other one stays" are counter
	check "dispatcher: the chain is attached again" lbctl -q chain attach eth0 require dispatcher
	check "dispatcher: ... behind it" are counter lb_entry
	check "dispatcher: the chain is put at another priority" lbctl -q chain detach eth0
	check "dispatcher: ... before the other one" \
		lbctl -q chain attach eth0 require dispatcher priority 5
	check "dispatcher: ... and there it is" are lb_entry counter
	check "dispatcher: the other one is taken off" unload counter
}

ten_are_enough()
{
	local n

	for n in 2 3 4 5 6 7 8 9 10; do
		lbctl -q chain load "$pass" eth0 || return 1
	done
	says "ten programs, which is its limit" lbctl chain load "$pass" eth0 &&
		are lb_entry pass pass pass pass pass pass pass pass pass
}

the_eleventh()
{
	check "dispatcher: ten programs have room, and the eleventh is refused" ten_are_enough
	check "dispatcher: the chain leaves" lbctl -q chain detach eth0
	check "dispatcher: ... one takes its place" lbctl -q chain load "$pass" eth0
	check "dispatcher: the chain as the eleventh is refused" \
		says "ten programs, which is its limit" lbctl chain attach eth0
	check "dispatcher: ... in any case, not attached alone" are pass pass pass pass pass pass pass \
		pass pass pass
	check "dispatcher: all are unloaded" on lb xdp-loader unload eth0 --all
	check "dispatcher: the chain is attached to what they left" lbctl -q chain attach eth0
}

counts_runs()
{
	sysctl -qw kernel.bpf_stats_enabled=1
	on client ping -c 3 -i 0.2 10.0.0.10
	lbctl -j chain show eth0 | tee "$lab_tmp/show" |
		jq -e '.programs[0] | .runs >= 3 and .run_time_ns > 0'
}

# What it prints is there when it ends, if not before.
xdpdump_sees()
{
	local _

	lab_start lb xdpdump -i eth0 -p lb_entry
	for _ in {1..200}; do
		! grep -q listening "$lab_tmp/lb.log" || break
		sleep 0.3
	done
	on client ping -c 3 -i 0.2 10.0.0.10
	lab_end "$lab_pid"
	cat "$lab_tmp/lb.log"
	grep -q 'lb_entry()@entry: packet size 98 bytes' "$lab_tmp/lb.log"
}

lab_open
lab_host client 1
lab_host lb 10
lab_peer_program
check "dispatcher: the chain attaches" lbctl -q chain attach eth0 require dispatcher
check "dispatcher: 'chain show' counts runs and their time, if the kernel does" counts_runs
check "dispatcher: xdpdump sees what comes to the chain" xdpdump_sees
others_come_and_go
the_eleventh
tap_end
