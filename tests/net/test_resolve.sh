#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_resolve.sh - the kernel finds the next hop of what goes to backends as it is: in dsr
# that is not the packet's destination, and on a trunk the packet keeps its VLAN tag.
#
# The first packet to a backend whose MAC address is not known has to arrive: a client that
# sent it again would wait a second for it, and the tests wait less.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

frames=$lab_top/tests/net/frames.py

# own_address: b2 has the dsr services' addresses and keeps quiet about them; the balancer
# has them too, but asks for neighbours in the name of its first address.
own_address()
{
	on b2 sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 &&
		on b2 ip addr add 10.0.0.99/32 dev lo &&
		on b2 ip addr add fd00:5::99/128 dev lo nodad &&
		on lb ip addr add 10.0.0.99/32 dev eth0 &&
		on lb ip addr add fd00:5::99/128 dev eth0 nodad
}

configure()
{
	cat >"$lab_tmp/lb.conf" <<-END
		service add 10.0.0.99:8000/tcp forward dsr
		service add [fd00:5::99]:8000/tcp forward dsr
		service add 10.0.0.99:9/udp forward dsr
		service add 10.0.0.99:4/udp forward ipip src 10.0.0.10
		service add 10.0.0.99:6/udp forward gue src fd00:5::10
		backend add 10.0.0.99:8000/tcp 10.0.0.2
		backend add [fd00:5::99]:8000/tcp [fd00:5::2]
		backend add 10.0.0.99:9/udp 10.0.0.2
		backend add 10.0.0.99:4/udp 10.0.0.2
		backend add 10.0.0.99:6/udp [fd00:5::2]
	END
	lbctl -b "$lab_tmp/lb.conf"
}

# forget: what the data path kept of b2 for a second, then what the kernel knows.  At once
# before the packet: an ARP request of b2's would tell it again.
forget()
{
	local address _

	for _ in {1..20}; do
		for address in 10.0.0.2 fd00:5::2; do
			on lb ip neigh del "$address" dev eth0 2>/dev/null
		done
		on lb ip neigh | grep -qE '^(10.0.0.2|fd00:5::2) .*lladdr' || return 0
		sleep 0.1
	done
	on lb ip neigh
	return 1
}

resolving()
{
	lbctl stats | awk '$1 == "resolving" { n = $3 } END { print n + 0 }'
}

# resolved BEFORE: the kernel did, and nobody looked for the service's own address.
resolved()
{
	[ "$(resolving)" -gt "$1" ] || { lbctl stats; return 1; }
	! on lb ip neigh | grep -E '^(10.0.0.99|fd00:5::99) '
}

answers()
{
	local before

	sleep 1.2
	before=$(resolving)
	forget || return 1
	on client curl -gsS -m 0.7 "http://$1:8000" && resolved "$before"
}

# arrives PATTERN COMMAND...: what COMMAND sends gets to b2 as PATTERN says.
arrives()
{
	local pattern=$1 before pid status

	shift
	sleep 1.2
	before=$(resolving)
	: >"$lab_tmp/heard"
	on b2 "$lab_python" "$frames" hear eth0 3 switchyard >"$lab_tmp/heard" &
	pid=$!
	lab_pids[$pid]=1
	until grep -q ready "$lab_tmp/heard"; do
		kill -0 "$pid" || return 1
		sleep 0.05
	done
	forget && "$@"
	wait "$pid"
	status=$?
	unset "lab_pids[$pid]"
	cat "$lab_tmp/heard"
	[ "$status" -eq 0 ] && grep -qE "$pattern" "$lab_tmp/heard" && resolved "$before"
}

# datagram PORT
datagram()
{
	on client "$lab_python" -c 'if True:
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.sendto(b"switchyard", ("10.0.0.99", int(sys.argv[1])))' "$1"
}

tagged_datagram()
{
	local mac

	mac=$(on lb ip -o link show dev eth0 | grep -o 'ether [0-9a-f:]*') || return 1
	on client "$lab_python" "$frames" say eth0 "${mac#ether }" 42 10.0.0.1 10.0.0.99 \
		"$1" switchyard
}

for mode in native skb; do
	lab_open
	lab_host client 1
	lab_host lb 10
	lab_host b2 2
	lab_backend b2
	own_address || lab_die "b2 cannot have the services' addresses"
	lab_attach "$mode"
	configure || lab_die "cannot configure"

	check "$mode: dsr" answers 10.0.0.99
	check "$mode: dsr, IPv6" answers '[fd00:5::99]'
	check "$mode: ipip" arrives '^0 45.{16}04.{4}0a00000a0a00000245' datagram 4
	check "$mode: gue over IPv6" \
		arrives '^0 6.{11}11.{66}....17c0....[0-9a-f]{4}45' datagram 6
	check "$mode: dsr on a trunk" arrives '^42 45.{22}0a0000010a000063' tagged_datagram 9
	check "$mode: ipip on a trunk" arrives '^42 45.{16}04.{4}0a00000a0a00000245' tagged_datagram 4
	[ "$mode" = skb ] || { trap - EXIT; lab_clear; }
done
tap_end
