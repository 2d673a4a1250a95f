#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_unknown.sh - connections whose entries are lost find their backend again if a policy
# says where it was, and are told if none does.
#
# `flow flush` loses the entries, as eviction does, and as another balancer has none.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"
# shellcheck source=tests/net/hold.sh
. "$(dirname "$0")/hold.sh"

OPEN=20		# connections
GRACE=5		# s, where it is to pass

# endpoint NUMBER: address of the family in hand, as URLs have it.
endpoint()
{
	if [ "$family" = IPv4 ]; then
		echo "10.0.0.$1"
	else
		echo "[fd00:5::$1]"
	fi
}

build()
{
	local n

	lab_basic 2 3 4
	for n in 2 3 4; do
		on "b$n" sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
			net.ipv4.conf.all.arp_announce=2 || return 1
		on "b$n" ip addr add 10.0.0.100/32 dev lo || return 1
		on "b$n" ip addr add fd00:5::100/128 dev lo nodad || return 1
	done
	on lb ip addr add 10.0.0.100/24 dev eth0 &&
		on lb ip addr add fd00:5::100/64 dev eth0 nodad
}

# begin OPTION...: the service anew, with three backends, and connections to it.  In one
# change: for a policy that is consistent, the table of before says whose connections were.
begin()
{
	local n

	hold empty && lbctl service del "$service" force 2>/dev/null
	{
		echo "service add $service forward $forward $*"
		for n in 2 3 4; do
			echo "backend add $service $(endpoint "$n")"
		done
	} >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf" && hold fill "$OPEN" && echo "# $held" || return 1
	is "$(told lost "$held")" 0
}

# lose: the entries of all flows.
lose()
{
	lbctl flow flush service "$service" &&
		is "$(lbctl -j flow count service "$service" | jq '.flows // .count')" 0
}

# One packet a second to each backend counts as refreshing the next hop instead.
found_again()
{
	local before after

	before=$(counted unknown-sent)
	lose && holds "open=$OPEN moved=0 lost=0" round || return 1
	after=$(counted unknown-sent)
	echo "# $((after - ${before:-0})) sent without an entry"
	[ $((after - ${before:-0})) -ge $((OPEN - 3)) ]
}

# ---- policies that can say ---------------------------------------------------------------

consistent()
{
	begin policy "$1" && found_again
}

# What was found again is a flow as before: the next swap does not move it.
whatever_comes()
{
	lbctl service set "$service" policy round-robin &&
		holds "open=$OPEN moved=0 lost=0" round
}

previous_in_drain()
{
	begin policy hash && lbctl backend drain "$service" "$(endpoint 3)" && found_again
}

# ---- and those that cannot ---------------------------------------------------------------

# Where answers come by us, the client is told; else it hears nothing.
told_so()
{
	local how=silent

	[ "$forward" = dsr ] || how=reset
	lose && hold ask one && is "$held" "$how"
}

one_more()
{
	hold open one && [[ $held == b[234] ]]
}

not_consistent()
{
	begin policy round-robin grace 1s && one_more && sleep 2 && told_so
}

grace_is_over()
{
	begin policy hash grace "${GRACE}s" &&
		lbctl service set "$service" policy round-robin && one_more &&
		sleep $((GRACE + 1)) && told_so
}

# on-unknown drop: the client hears nothing, not even in full NAT.
drops()
{
	begin policy round-robin grace 1s on-unknown drop && one_more && sleep 2 &&
		lose && holds silent ask one
}

# on-unknown reset: the client is told, even in dsr.
resets()
{
	begin policy round-robin grace 1s on-unknown reset && one_more && sleep 2 &&
		lose && holds reset ask one
}

# on-unknown select: of a service with one backend it is the right one.
selects()
{
	begin policy round-robin grace 1s on-unknown select || return 1
	hold empty && lbctl backend del "$service" "$(endpoint 2)" force &&
		lbctl backend del "$service" "$(endpoint 3)" force &&
		one_more && sleep 2 && lose && holds b4 ask one
}

# ------------------------------------------------------------------------------------------

test_service()
{
	local ip

	forward=$1 family=$2 ip=$(endpoint "$3")
	service=$ip:9000/tcp
	ip=${ip//[][]/}
	what="$forward, $family"
	hold_start "$ip" 9000
	check "$what: hash finds connections again" consistent hash
	check "$what: and they stay when the policy changes" whatever_comes
	check "$what: the policy before finds them again" found_again
	check "$what: also on a backend in drain" previous_in_drain
	check "$what: source-hash finds connections again" consistent source-hash
	check "$what: round-robin does not" not_consistent
	check "$what: nor does the policy before when grace is over" grace_is_over
	check "$what: on-unknown drop" drops
	check "$what: on-unknown reset" resets
	check "$what: on-unknown select" selects
	hold_stop
}

lab_open
build || lab_die 'cannot build the network'
lab_attach native
test_service fullnat IPv4 10
test_service fullnat IPv6 10
test_service dsr IPv4 100
test_service dsr IPv6 100
lab_clear
tap_end
