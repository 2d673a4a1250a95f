#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_dsr.sh - dsr: backends have the service's address on lo, do not say so by ARP, and
# answer the client directly; over IPv4 and IPv6, native and skb.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"

# What a backend needs; IPv6 is silent about addresses on lo by itself.
prepare_backend()
{
	on "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 &&
		on "$1" ip addr add 10.0.0.100/32 dev lo &&
		on "$1" ip addr add fd00:5::100/128 dev lo nodad
}

build()
{
	local n

	lab_basic 2 3
	for n in 2 3; do
		prepare_backend "b$n" || lab_die "cannot prepare b$n"
	done
	on lb ip addr add 10.0.0.100/32 dev eth0 &&
		on lb ip addr add fd00:5::100/128 dev eth0 nodad
}

# Services of all ports carry what the one of port 8000 does not; 9001 is closed.
apply()
{
	local ip n port

	for ip in 10.0.0.100 '[fd00:5::100]'; do
		for port in :{8000,9000,9001}/tcp :{8000,9001}/udp /icmp; do
			echo "service add $ip$port forward dsr"
			for n in 2 3; do
				[[ $ip != *:* ]] && echo "backend add $ip$port 10.0.0.$n" ||
					echo "backend add $ip$port [fd00:5::$n]"
			done
		done
	done >"$lab_tmp/lb.conf"
	lbctl apply "$lab_tmp/lb.conf"
}

# What came to the balancer's interface, in bytes.
received()
{
	on lb ip -j -s link show eth0 | jq '.[0].stats64.rx.bytes'
}

# Of what the backend sends, nothing comes to the balancer, and of what the client sends,
# acknowledgments alone.
replies_bypass()
{
	local before after

	before=$(received)
	download "$host:8000" || return 1
	after=$(received)
	echo "# the balancer received $((after - before)) bytes while the client got 3000000"
	[ $((after - before)) -gt 0 ] && [ $((after - before)) -lt 1000000 ] &&
		is "$(counted reply)" 0
}

answers_clients()
{
	check "$what: curl gets both backends" both_backends "$host:8000"
	check "$what: nc talks TCP" lines "$ip" 9000
	check "$what: datagrams of a flow go to one backend, which answers" \
		same_backend "$ip" 8000
	check "$what: 3 MB go" upload "$host:8000"
	check "$what: 3 MB come, past the balancer" replies_bypass
	check "$what: backends answer ping, nothing is lost" \
		pings_backends "$ip" "$host" 4
	check "$what: a closed TCP port refuses" fails 7 get "$host:9001"
	check "$what: a closed UDP port refuses" fails 7 datagram "$ip" 9001
}

test_mode()
{
	local mode=$1 what ip host

	lab_open
	build
	lab_attach "$mode"
	check "$mode: services are configured" apply || return
	what="$mode, dsr over IPv4" ip=10.0.0.100 host=$ip
	answers_clients
	what="$mode, dsr over IPv6" ip=fd00:5::100 host=[$ip]
	answers_clients
}

for mode in native skb; do
	test_mode "$mode"
	lab_clear
done
tap_end
