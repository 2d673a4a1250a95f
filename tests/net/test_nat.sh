#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_nat.sh - nat and fullnat between two networks, over IPv4 and IPv6, native and skb.
#
# The balancer is the backends' gateway: what comes in by eth0 leaves by eth1, and the
# other way round.  ICMP errors have to find who is meant: of closed ports, and of routers
# whose next link is narrower than the others.
#
#     client 10.0.0.1 --- eth0 lb eth1 --- b2 10.0.1.2, b3 10.0.1.3
#     far 10.0.2.1 --- ra --- (the same) --- rb --- b5 10.0.3.5
#
# Services: nat at .100, fullnat at .101; all backends are of both.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"

TO_CLIENT=1400	# bytes of IP that ra lets through to far
TO_BACKEND=1300	# bytes of IP that rb lets through to b5
MSS=1234

# route HOST NET NUMBER OPTIONS...: to network NET (or all, 'default') by way of its router
# NUMBER on network VIA.
route()
{
	local host=$1 net=$2 via=$3 number=$4 to4=default to6=default

	shift 4
	if [ "$net" != default ]; then
		to4=10.0.$net.0/24 to6=fd00:5:0:$net::/64
	fi
	{
		on "$host" ip route replace "$to4" via "10.0.$via.$number" "$@" &&
			on "$host" ip route replace "$to6" via "fd00:5:0:$via::$number" "$@"
	} || lab_die "$host gets no route to $net"
}

# router NAME NUMBER NET OTHER MTU: between two networks; packets to OTHER may be no larger.
router()
{
	lab_host "$1" "$2" "$3"
	lab_net "$4"
	lab_plug "$1" eth1 "$4" "$2"
	{
		on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
			on "$1" ip route replace "10.0.$4.0/24" dev eth1 mtu lock "$5" &&
			on "$1" ip route replace "fd00:5:0:$4::/64" dev eth1 metric 256 \
				mtu lock "$5"
	} || lab_die "$1 is no router"
}

build()
{
	local n

	lab_host client 1
	lab_host lb 10
	lab_net 1
	lab_plug lb eth1 1 10
	for n in 100 101; do
		on lb ip addr add "10.0.0.$n/32" dev eth0
		on lb ip addr add "fd00:5::$n/128" dev eth0 nodad
	done
	for n in 2 3; do
		lab_host "b$n" "$n" 1
		route "b$n" default 1 10
		lab_backend "b$n"
	done
	router ra 8 0 2 "$TO_CLIENT"
	router rb 9 1 3 "$TO_BACKEND"
	lab_host far 1 2
	lab_host b5 5 3
	route far default 2 8
	route b5 default 3 9
	route lb 2 0 8
	route lb 3 1 9
	route rb default 1 10
	lab_backend b5
}

# Addresses as lbctl and URLs have them: at4 NET NUMBER, at6 NET NUMBER.
at4()
{
	echo "10.0.$1.$2"
}

at6()
{
	echo "[fd00:5:0:$1::$2]"
}

# configure FORWARD NUMBER AT: the services of one mode and family.
configure()
{
	local ip port

	ip=$($3 0 "$2")
	for port in :{8000,9000,8005,8009}/tcp :{8000,8009}/udp /icmp; do
		echo "service add $ip$port forward $1"
	done
	echo "service add $ip:8006/tcp forward $1 mss $MSS"
	for port in :{8000,9000,8009}/tcp :{8000,8009}/udp /icmp; do
		printf "backend add $ip$port %s\n" "$($3 1 2)" "$($3 1 3)"
	done
	echo "backend add $ip:8006/tcp $($3 1 2):8000"
	echo "backend add $ip:8005/tcp $($3 3 5):8000"
}

apply()
{
	local at

	for at in at4 at6; do
		configure nat 100 "$at"
		configure fullnat 101 "$at"
	done >"$lab_tmp/lb.conf"
	lbctl apply "$lab_tmp/lb.conf"
}

# ---- what a client gets ----------------------------------------------------------------

answers_clients()
{
	check "$what: curl gets both backends" both_backends "$host:8000"
	check "$what: nc talks TCP" lines "$ip" 9000
	check "$what: datagrams of a flow go to one backend, which answers" \
		same_backend "$ip" 8000
	check "$what: 3 MB come" download "$host:8000"
	check "$what: 3 MB go" upload "$host:8000"
	check "$what: backends answer ping, nothing is lost" \
		pings_backends "$ip" "$host" 8
	check "$what: a SYN's MSS is clamped" offers b2 'tcp dst port 8000'
	check "$what: and a SYN-ACK's" offers client 'tcp src port 8006'
}

# offers HOST FILTER: the first such packet there has the MSS that was set.
offers()
{
	local said=$lab_tmp/$1.first pid

	rm -f "$said"
	# shellcheck disable=SC2016 # the inner shell's
	lab_start "$1" sh -c 'exec timeout 60 tcpdump -i eth0 -nn -c 1 \
		--immediate-mode "$1" >"$2" 2>&1' - "$2" "$said"
	pid=$lab_pid
	until grep -qs '^listening on' "$said"; do
		kill -0 "$pid" || return 1
		sleep 0.05
	done
	get "$host:8006" && wait "$pid" && grep "mss $MSS," "$said" && return
	cat "$said"
	return 1
}

# ---- ICMP errors -------------------------------------------------------------------------

tells_errors()
{
	local seen_by_b5=$1

	check "$what: a closed TCP port refuses" fails 7 get "$host:8009"
	check "$what: a closed UDP port refuses" fails 7 datagram "$ip" 8009
	# In this order: what far has learnt to send, it offers to take the next time.
	check "$what: 3 MB come past a router that says packets are too big" \
		far_transfers download b5 "$seen_by_b5" "$TO_CLIENT"
	check "$what: 3 MB go past one" \
		far_transfers upload far "$ip" "$TO_BACKEND"
}

# far_transfers upload|download SENDER TO MTU: and the sender has learnt the MTU.
far_transfers()
{
	local asker=far

	"$1" "$host:8005" || return 1
	on "$2" ip route get "$3" | grep -w "mtu $4" && return
	on "$2" ip route get "$3"
	return 1
}

# ---- ways ----------------------------------------------------------------------------------

# b3 gets a second interface, in the client's network, and answers by way of it.
second_way()
{
	lab_plug b3 eth1 0 3
	on b3 ip route replace 10.0.0.1/32 via 10.0.0.10 dev eth1 &&
		on b3 ip route replace fd00:5::1/128 via fd00:5::10 dev eth1
}

in_by_one_out_by_another()
{
	check "$mode: a backend answers by another interface" second_way
	check "$mode, nat: its answers to IPv4 are translated there" \
		both_backends 10.0.0.100:8000
	check "$mode, nat: its answers to IPv6 are" both_backends '[fd00:5::100]:8000'
}

# No kernel helped: it forwards nothing.
no_forwarding()
{
	is "$(on lb sysctl -n net.ipv4.ip_forward)" 0 &&
		is "$(on lb sysctl -n net.ipv6.conf.all.forwarding)" 0
}

test_mode()
{
	local mode=$1 what ip host

	lab_open
	build
	[ "$mode" = skb ] || lab_peer_program
	check "$mode: the chain attaches to both interfaces" \
		lbctl chain attach eth0 eth1 mode "$mode" || return
	check "$mode: services are configured" apply || return
	check "$mode: the balancer is no router by itself" no_forwarding

	what="$mode, nat over IPv4" ip=10.0.0.100 host=$ip
	answers_clients
	tells_errors 10.0.2.1
	what="$mode, nat over IPv6" ip=fd00:5::100 host=[$ip]
	answers_clients
	tells_errors fd00:5:0:2::1
	what="$mode, fullnat over IPv4" ip=10.0.0.101 host=$ip
	answers_clients
	tells_errors "$ip"
	what="$mode, fullnat over IPv6" ip=fd00:5::101 host=[$ip]
	answers_clients
	tells_errors "$ip"
	in_by_one_out_by_another
	check "$mode: doctor finds no failure" lbctl doctor
}

for mode in native skb; do
	test_mode "$mode"
	lab_clear
done
tap_end
