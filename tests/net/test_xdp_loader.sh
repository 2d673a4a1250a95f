#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_xdp_loader.sh [dispatcher] - the chain that xdp-loader has attached is filled and driven
# by lbctl.
#
# Where the kernel forbids programs of type EXT, xdp-loader attaches it alone, with another
# expected_attach_type than that of stages: then lbctl must refuse.  'dispatcher' says that
# this is not the case here.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

# xdp_id: of what the kernel calls on the interface.
xdp_id()
{
	on lb ip -j link show eth0 | jq '.[0].xdp.prog.id'
}

loads()
{
	on lb xdp-loader load -m "$mode" -p "$lab_pins" eth0 "$lab_build/progs/lb_entry.bpf.o" &&
		[ -e "$lab_pins/lb_root" ]
}

reach()
{
	on client curl -gsS --connect-timeout 2 -m 6 "$1"
}

# Nobody is there: the balancer's own kernel refuses.
passes()
{
	reach http://10.0.0.10:8000
	[ $? -eq 7 ]
}

takes_over()
{
	local before

	before=$(xdp_id)
	lbctl -q chain attach eth0 mode "$mode" && is "$(xdp_id)" "$before"
}

is_shown()
{
	lbctl -j chain show eth0 | jq -e '[.programs[] | select(.ours)] | length == 1'
}

balances()
{
	lbctl service add 10.0.0.10:8000/tcp && lbctl backend add 10.0.0.10:8000/tcp 10.0.0.2 &&
		is "$(reach http://10.0.0.10:8000)" b2
}

clears()
{
	lbctl clear && [ ! -e "$lab_pins" ] && ! on lb ip link show eth0 | grep xdp
}

is_behind_dispatcher()
{
	on lb xdp-loader status eth0 | grep -q '=>.*lb_entry'
}

refuses_it_alone()
{
	! lbctl chain attach eth0 mode "$mode" 2>"$lab_tmp/answer" || return 1
	cat "$lab_tmp/answer"
	grep -q 'lb_root: its lb_entry was loaded to be alone' "$lab_tmp/answer" &&
		is "$(wc -l <"$lab_tmp/answer")" 1 && is "$(ls "$lab_pins")" lb_root &&
		on lb xdp-loader unload eth0 --all && rm -r "$lab_pins"
}

# What is there under that name, and is none of ours, stays as it is.
refuses_another_map()
{
	mkdir "$lab_pins" && bpftool map create "$lab_pins/lb_root" type array key 4 value 4 \
		entries 1 name other || return 1
	! lbctl chain attach eth0 mode skb 2>"$lab_tmp/answer" &&
		grep -q 'lb_root: not the map of an lb_entry' "$lab_tmp/answer" &&
		is "$(wc -l <"$lab_tmp/answer")" 1 && [ -e "$lab_pins/lb_root" ]
}

lab_open
lab_basic 2
for mode in native skb; do
	[ "$mode" = skb ] || lab_peer_program
	check "$mode: xdp-loader attaches lb_entry, and its map is pinned where it was told" loads
	check "$mode: without stages it passes all" passes
	if [ "${1:-}" != dispatcher ] && ! is_behind_dispatcher; then
		check "$mode: one that is alone is refused, with the remedy" refuses_it_alone
		continue
	fi
	check "$mode: 'chain attach' takes it over as it is" takes_over
	check "$mode: 'chain show' knows it" is_shown
	check "$mode: it balances what lbctl is told" balances
	check "$mode: 'clear' takes all of it away" clears
done
check "a map of that name that is not lb_entry's is refused, and stays" refuses_another_map
tap_end
