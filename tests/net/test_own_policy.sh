#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_own_policy.sh - somebody writes a policy: begun by lbctl, built outside of the tree,
# asked by the gate, loaded, made the default under traffic, changed, and unloaded.
#
# Requests are made all the time; none may fail, and no open connection may move.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

# own KEY: of my-policy, as lbctl has it.
own()
{
	lbctl -j policy show my-policy | jq -r ".policies[0].$1"
}

begin()
{
	cd "$lab_tmp/work" && "$lab_build/lbctl" policy new my-policy && ls my-policy.bpf.c Makefile
}

build()
{
	make -C "$lab_tmp/work"
}

load()
{
	lbctl policy load "$lab_tmp/work/my-policy.bpf.o" "$@"
}

passes_gate()
{
	load || return 1
	is "$(own gate)" passed && [ "$(own cost_ns)" -gt 0 ]
}

# phase NAME: what came of the phase before that is in $client_line, a second later.
phase()
{
	sleep 1
	client_phase "$1" && echo "# $client_line"
}

promote()
{
	lbctl policy set my-policy && client_phase default && phase decides || return 1
	is "$(own default)" true || return 1
	echo "# decisions: $(own decisions)"
	[ "$(own decisions)" -ge "$(told requests "$client_line")" ] &&
		[ "$(told requests "$client_line")" -gt 0 ]
}

# What the template does is not what it is to do from now on: the last slot has all.
rewrite()
{
	local source=$lab_tmp/work/my-policy.bpf.c

	sed -i -e 's/LB_PROMISE_EVEN | LB_PROMISE_STICKY/LB_PROMISE_STICKY/' \
		-e 's/return .*;/return table->n_slots - 1;/' "$source" &&
		grep -q 'n_slots - 1' "$source"
}

is_kept()
{
	if load; then
		return 1
	fi
	is "$(own promises[0])" even
}

replace()
{
	rewrite && build && load replace && client_phase replaced && phase last || return 1
	is "$(own promises[0])" sticky || return 1
	is "$(told b2 "$client_line")" 0 && [ "$(told b3 "$client_line")" -gt 0 ]
}

# A promise that it does not keep: the one that serves goes on.
lie()
{
	sed -i 's/LB_PROMISE_STICKY/LB_PROMISE_EVEN/' "$lab_tmp/work/my-policy.bpf.c" &&
		build || return 1
	if load replace; then
		return 1
	fi
	is "$(own promises[0])" sticky || return 1
	load replace force || return 1
	is "$(own gate)" forced && own broken_promise | grep even
}

is_used()
{
	if lbctl policy unload my-policy; then
		return 1
	fi
	is "$(own default)" true
}

unload()
{
	lbctl policy set round-robin && lbctl policy unload my-policy &&
		client_phase unloaded && phase gone || return 1
	[ "$(told b2 "$client_line")" -gt 0 ] && [ "$(told b3 "$client_line")" -gt 0 ] || return 1
	if lbctl policy show my-policy; then
		return 1
	fi
}

nothing_failed()
{
	echo "# $client_total"
	cat "$lab_tmp/failures"
	[ "$(told requests "$client_total")" -gt 500 ] &&
		is "$(told failures "$client_total")" 0
}

nothing_moved()
{
	[ "$(told asked "$client_total")" -gt 100 ] || return 1
	is "$(told moved "$client_total")" 0
}

# test_mode MODE ADDRESS BACKEND2 BACKEND3
test_mode()
{
	local what="$1, $2"

	lab_open
	mkdir "$lab_tmp/work"
	lab_basic 2 3
	lab_attach "$1"
	lbctl -b - <<-END || lab_die 'cannot configure'
		service add $2:8000/tcp forward fullnat
		backend add $2:8000/tcp $3:8000
		backend add $2:8000/tcp $4:8000
	END
	client_start --fresh 5 --lasting 20 "$(tr -d '[]' <<<"$2")"
	check "$what: lbctl begins a policy" begin
	check "$what: make builds it" build
	check "$what: it passes the gate" passes_gate
	check "$what: it becomes the default, and decides" promote
	check "$what: one of its name is kept without 'replace'" is_kept
	check "$what: another version replaces it, and decides" replace
	check "$what: one that lies does not, but by force" lie
	check "$what: the default is not unloaded" is_used
	check "$what: it is unloaded, and others decide" unload
	client_stop
	check "$what: no request fails meanwhile" nothing_failed
	check "$what: no connection moves" nothing_moved
	cd "$lab_top" || exit 1
	lab_clear
}

test_mode native 10.0.0.10 10.0.0.2 10.0.0.3
test_mode skb '[fd00:5::10]' '[fd00:5::2]' '[fd00:5::3]'
tap_end
