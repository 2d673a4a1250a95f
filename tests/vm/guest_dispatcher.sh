#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_dispatcher.sh - other people's programs that lbctl loads and unloads, in a guest.
set -uo pipefail
# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../net/lab.sh"
failed=0
pass=$lab_build/tests/net/pass.bpf.o

# check NAME COMMAND...
check()
{
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		echo "ok - dispatcher: $name"
		return
	fi
	failed=$((failed + 1))
	echo "not ok - dispatcher: $name"
	echo "# $*"
	tail -n 30 <<<"$said" | sed 's/^/# /'
}

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

fails()
{
	! "$@" >/dev/null 2>&1
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
	check "another program joins the chain, where it wants to be" counter_up
	check "... behind it" are lb_entry counter
	check "'chain show' says that it does not see all" \
		says "^! eth0: 'counter' runs after lb_entry" lbctl chain show
	check "it is taken off" unload counter
	check "... and the chain stays" are lb_entry
	check "it joins at a priority of one's own" counter_up priority 20 prog counter
	check "... before the chain" are counter lb_entry
	check "the chain itself is not unloaded" \
		says "is the chain itself" unload lb_entry
	check "... and the dispatcher is not, either" \
		says "goes with its last program" unload xdp_dispatcher
	check "all are there as before" are counter lb_entry
	check "the chain is detached" lbctl -q chain detach eth0
	check "... and the other one stays" are counter
	check "the chain is attached again" lbctl -q chain attach eth0 require dispatcher
	check "... behind it" are counter lb_entry
	check "the chain is put at another priority" lbctl -q chain detach eth0
	check "... before the other one" \
		lbctl -q chain attach eth0 require dispatcher priority 5
	check "... and there it is" are lb_entry counter
	check "the other one is taken off" unload counter
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
	check "ten programs have room, and the eleventh is refused" ten_are_enough
	check "the chain leaves" lbctl -q chain detach eth0
	check "... one takes its place" lbctl -q chain load "$pass" eth0
	check "the chain as the eleventh is refused" \
		says "ten programs, which is its limit" lbctl chain attach eth0
	check "... in any case, not attached alone" are pass pass pass pass pass pass pass \
		pass pass pass
	check "all are unloaded" on lb xdp-loader unload eth0 --all
	check "the chain is attached to what they left" lbctl -q chain attach eth0
}

counts_runs()
{
	sysctl -qw kernel.bpf_stats_enabled=1
	on client ping -c 3 -i 0.2 10.0.0.10
	lbctl -j chain show eth0 | tee "$lab_tmp/show" |
		jq -e '.programs[0] | .runs >= 3 and .run_time_ns > 0'
}

lab_open
lab_host client 1
lab_host lb 10
lab_peer_program
check "the chain attaches" lbctl -q chain attach eth0 require dispatcher
check "'chain show' counts runs and their time, if the kernel does" counts_runs
others_come_and_go
the_eleventh
[ "$failed" -eq 0 ]
