#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_reach.sh - real programs reach backends through the balancer, both ways, over IPv4
# and IPv6, TCP and UDP, native and skb; and what is not for a service is left alone.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"

AT_ONCE=0.9	# s: less than TCP takes to send a lost SYN again

configure()
{
	local ip port

	for ip in 10.0.0.10 '[fd00:5::10]'; do
		printf 'service add %s forward fullnat\n' \
			"$ip:8000/tcp" "$ip:8000/udp" "$ip:9000/tcp" "$ip:8002/tcp"
	done
	for ip in 2 3; do
		for port in 8000/tcp 8000/udp 9000/tcp; do
			echo "backend add 10.0.0.10:$port 10.0.0.$ip"
			echo "backend add [fd00:5::10]:$port [fd00:5::$ip]"
		done
	done
}

apply()
{
	configure >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf"
}

# ---- a balancer that just booted ----------------------------------------------------

no_forwarding()
{
	is "$(on lb sysctl -n net.ipv4.ip_forward)" 0 &&
		is "$(on lb sysctl -n net.ipv6.conf.all.forwarding)" 0
}

# at_once COMMAND...: with no neighbour known, the first packet finds its way.
at_once()
{
	on lb ip neigh flush all && on lb ip -6 neigh flush all
	is "$(on lb ip neigh show nud reachable nud stale nud delay)" '' || return 1
	limit=$AT_ONCE answers 'b[23]*' "$@"
}

first_packets()
{
	check "$mode: the balancer does not forward by itself" no_forwarding
	check "$mode: the first SYN over IPv4 finds a way" at_once get 10.0.0.10:8000
	check "$mode: the first SYN over IPv6 finds a way" \
		at_once get '[fd00:5::10]:8000'
	check "$mode: the first datagram over IPv4 does" at_once datagram 10.0.0.10 8000
	check "$mode: the first datagram over IPv6 does" at_once datagram fd00:5::10 8000
}

# ---- services and the rest -------------------------------------------------------------

services_answer()
{
	local ip

	for ip in 10.0.0.10 fd00:5::10; do
		local host=$ip

		[[ $ip != *:* ]] || host="[$ip]"
		check "$mode: curl gets both backends of $ip" both_backends "$host:8000"
		check "$mode: nc talks TCP with $ip" lines "$ip" 9000
		check "$mode: a datagram is answered by $ip" answers 'b[23]' datagram "$ip" 8000
		check "$mode: 3 MB come from $ip" download "$host:8000"
		check "$mode: 3 MB go to $ip" upload "$host:8000"
	done
}

finds_and_pings()
{
	on client ip neigh flush all
	pings "$1"
}

others_are_left_alone()
{
	check "$mode: the balancer answers ARP and ping" finds_and_pings 10.0.0.10
	check "$mode: the balancer answers ND and ping" finds_and_pings fd00:5::10
	check "$mode: its own server at another port answers over IPv4" \
		answers lb get 10.0.0.10:22
	check "$mode: its own server at another port answers over IPv6" \
		answers lb get '[fd00:5::10]:22'
	check "$mode: a port where nobody listens is refused, not swallowed" \
		fails 7 get 10.0.0.10:8001
	check "$mode: the balancer is a client of its backends over IPv4" \
		answers b2 on lb curl -sS -m 3 10.0.0.2:8000
	check "$mode: the balancer is a client of its backends over IPv6" \
		answers b3 on lb curl -gsS -m 3 'http://[fd00:5::3]:8000'
}

no_backend_refuses()
{
	local before drops

	before=$(counted no-backend) || return 1
	limit=$AT_ONCE get 10.0.0.10:8002
	is $? 7 || return 1 # refused, at once
	is "$(counted no-backend)" $((before + 1)) || return 1
	drops=$(lbctl -j service show 10.0.0.10:8002/tcp |
		jq -r '.services[0] | "\(.drops) \(.drop_reason)"')
	is "$drops" '1 no-backend'
}

doctor_finds_no_failure()
{
	lbctl doctor
}

# ---- detaching -----------------------------------------------------------------------

# What of the host the chain changes.
host_state()
{
	on lb ip -o link show eth0 | grep -o 'xdp[a-z]*'
	on lb tc qdisc show dev eth0
	on lb tc filter show dev eth0 ingress 2>/dev/null
	on lb sysctl net.ipv4.conf net.ipv6.conf 2>/dev/null
}

chain_changes_host()
{
	host_state >"$lab_tmp/with"
	! diff "$lab_tmp/before" "$lab_tmp/with"
}

chain_leaves()
{
	lbctl chain detach all || return 1
	host_state >"$lab_tmp/after"
	diff "$lab_tmp/before" "$lab_tmp/after" || return 1
	get 10.0.0.10:8000
	is $? 7
}

pins_leave()
{
	lbctl clear || return 1
	[ ! -e "$lab_pins" ] || { find "$lab_pins"; return 1; }
}

test_mode()
{
	mode=$1
	lab_open
	lab_basic 2 3
	[ "$mode" = skb ] || lab_peer_program
	lab_backend lb 22 23
	host_state >"$lab_tmp/before"
	check "$mode: the chain attaches" lbctl chain attach eth0 mode "$mode" || return
	check "$mode: services are configured" apply || return
	first_packets
	services_answer
	others_are_left_alone
	check "$mode: a service without backend refuses, and counts why" no_backend_refuses
	check "$mode: doctor finds no failure" doctor_finds_no_failure
	check "$mode: attaching shows on the host" chain_changes_host
	check "$mode: detaching leaves the host as it was" chain_leaves
	check "$mode: clearing removes all pins" pins_leave
}

for mode in native skb; do
	test_mode "$mode"
	lab_clear
done
tap_end
