#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_neighbour.sh - a backend that gets another MAC address, with or without telling
# anybody, or whose cable is out for a while, is found again.
#
# The service has one backend, so each request needs it.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

apply()
{
	cat >"$lab_tmp/lb.conf" <<-END
		service add 10.0.0.10:8000/tcp
		service add [fd00:5::10]:8000/tcp
		backend add 10.0.0.10:8000/tcp 10.0.0.2
		backend add [fd00:5::10]:8000/tcp [fd00:5::2]
	END
	lbctl -b "$lab_tmp/lb.conf"
}

get()
{
	on client curl -gsS -m "${2:-0.5}" "http://$1:8000" >/dev/null
}

# heals IP SECONDS: requests are answered again, five in a row.
heals()
{
	local begin=$SECONDS good=0

	while [ $((SECONDS - begin)) -le "$2" ]; do
		if get "$1"; then
			good=$((good + 1))
		else
			good=0
		fi
		[ "$good" -lt 5 ] || { echo "# after $((SECONDS - begin)) s"; return 0; }
	done
	on lb ip neigh
	lbctl
	return 1
}

# new_mac BYTE: the backend's.
new_mac()
{
	on b2 ip link set dev eth0 address "02:00:00:00:00:$1"
}

announce()
{
	on b2 sysctl -qw net.ipv4.conf.eth0.arp_notify="$1" \
		net.ipv6.conf.eth0.ndisc_notify="$1"
}

# The kernel asks a neighbour again after about a minute; here after some seconds.
impatient()
{
	local family

	for family in ipv4 ipv6; do
		on lb sysctl -qw "net.$family.neigh.eth0.base_reachable_time_ms=1000" \
			"net.$family.neigh.eth0.delay_first_probe_time=1" || return 1
	done
	sleep 2		# what was found reachable still lasts the old time
	on lb ip neigh flush all
}

announced()
{
	announce 1 && new_mac "$2" && heals "$1" 3
}

silent()
{
	# It is known, and nobody is told, so the next request must fail: else this tests
	# nothing.
	announce 0 && heals "$1" 3 && new_mac "$2"
	! get "$1" || { echo "the old MAC address still works"; return 1; }
	heals "$1" 20
}

unplugged()
{
	local begin=$SECONDS drops=0

	on switch ip link set b2 down
	while [ "$drops" -eq 0 ] && [ $((SECONDS - begin)) -lt 30 ]; do
		get 10.0.0.10 2>/dev/null
		drops=$(lbctl -j stats |
			jq '.reasons[] | select(.reason == "no-neighbour").packets')
	done
	echo "# $drops drops for no-neighbour after $((SECONDS - begin)) s"
	lbctl | grep '^!.*no-neighbour'
	on switch ip link set b2 up
	[ "$drops" -gt 0 ] && heals 10.0.0.10 20
}

connections_live()
{
	echo "# $client_total"
	cat "$lab_tmp/failures"
	[ "$(told asked "$client_total")" -gt 0 ] || return 1
	is "$(told failures "$client_total")" 0
}

test_mode()
{
	lab_open
	lab_basic 2
	lab_attach "$1"
	apply || lab_die 'cannot configure'
	client_start --lasting 2 10.0.0.10
	sleep 0.5
	check "$1, IPv4: a backend that announces its new MAC is found" \
		announced 10.0.0.10 41
	check "$1, IPv6: a backend that announces its new MAC is found" \
		announced '[fd00:5::10]' 61
	client_stop
	check "$1: an open connection lives through it" connections_live
	impatient
	check "$1, IPv4: a backend that is silent about it is found" \
		silent 10.0.0.10 42
	check "$1, IPv6: a backend that is silent about it is found" \
		silent '[fd00:5::10]' 62
	check "$1: what cannot be sent is counted, and goes on when it can" unplugged
	lab_clear
}

test_mode native
test_mode skb
tap_end
