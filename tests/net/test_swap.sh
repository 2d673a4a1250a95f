#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_swap.sh - 10,000 requests while policies are swapped 200 times and backends come,
# go, drain and change weights: none fails, and no open connection moves.
#
# Requests are TCP connections and, at the same time, datagrams, which are sent once: one
# that is lost is a failure.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

REQUESTS=10000
SWAPS=200

# endpoint NUMBER PORT: of the family in hand.
endpoint()
{
	if [ "$family" = IPv4 ]; then
		echo "10.0.0.$1:$2"
	else
		echo "[fd00:5::$1]:$2"
	fi
}

configure()
{
	local each

	for each in "$(endpoint 10 8000)"/{tcp,udp}; do
		echo "service add $each forward fullnat"
		echo "backend add $each $(endpoint 2 8000)"
		echo "backend add $each $(endpoint 3 8000)"
	done
}

apply()
{
	configure >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf"
}

generation()
{
	lbctl -j service show "$service" | jq '.services[0].generation'
}

# What a backend may live through, one change at a time; b4 comes and goes.
change()
{
	local b3 b4

	b3=$(endpoint 3 8000) b4=$(endpoint 4 8000)
	case $(($1 % 8)) in
	0) lbctl backend add "$service" "$b4" weight 2 ;;
	1) lbctl backend drain "$service" "$b3" ;;
	2) lbctl backend set all "$b3" weight 7 ;;
	3) lbctl backend set "$service" "$b3" state active ;;
	4) lbctl backend set all "$b3" weight 0 ;;
	5) lbctl backend set all "$b3" weight 1 ;;
	6) lbctl backend drain "$service" "$b4" ;;
	7) lbctl backend del "$service" "$b4" wait 20s ;;
	esac
}

# Swaps and changes until there were enough of all; $swaps, $changes and $requests.
swap_and_change()
{
	local policies=(hash weighted round-robin)

	swaps=0 changes=0 requests=0
	while [ "$swaps" -lt "$SWAPS" ] || [ "$requests" -lt "$REQUESTS" ] ||
		[ $((changes % 8)) -ne 0 ]; do
		lbctl policy set "${policies[swaps % 3]}" || return 1
		swaps=$((swaps + 1))
		[ $((swaps % 10)) -eq 0 ] || continue
		change "$changes" || return 1
		changes=$((changes + 1))
		client_phase "$swaps" || return 1
		requests=$((requests + $(told requests "$client_line")))
	done
}

swaps_are_done()
{
	local before

	before=$(generation) || return 1
	swap_and_change || return 1
	echo "# $swaps swaps, $changes changes of backends, $requests requests meanwhile"
	[ $(($(generation) - before)) -ge "$swaps" ]
}

nothing_failed()
{
	echo "# $client_total"
	cat "$lab_tmp/failures"
	[ "$(told requests "$client_total")" -ge "$REQUESTS" ] &&
		is "$(told failures "$client_total")" 0
}

nothing_moved()
{
	[ "$(told asked "$client_total")" -gt 100 ] || return 1
	is "$(told moved "$client_total")" 0
}

# Each backend had its part: the client was not lucky by meeting one only.
all_had_requests()
{
	local name

	for name in b2 b3 b4; do
		[ "$(told "$name" "$client_total")" -gt 100 ] || return 1
	done
}

# Retransmissions would tell of packets lost where no request was; a busy machine may make
# some of its own.
few_retransmitted()
{
	local n

	n=$(retransmitted)
	echo "# $n"
	[ "$n" -lt 20 ]
}

test_mode()
{
	local ip=10.0.0.10

	mode=$1 family=$2 service=$(endpoint 10 8000)/tcp
	[ "$family" = IPv4 ] || ip=fd00:5::10
	lab_open
	lab_basic 2 3 4
	lab_attach "$mode"
	apply || lab_die 'cannot configure'
	client_start --fresh 5 --datagrams 1 --lasting 20 --streams 10 "$ip"
	check "$mode, $family: policies are swapped and backends change" swaps_are_done
	client_stop
	check "$mode, $family: no request fails meanwhile" nothing_failed
	check "$mode, $family: no connection or UDP flow moves to another backend" \
		nothing_moved
	check "$mode, $family: every backend had its part" all_had_requests
	check "$mode, $family: hardly a TCP segment is sent twice" few_retransmitted
	lab_clear
}

test_mode native IPv4
test_mode native IPv6
test_mode skb IPv4
tap_end
