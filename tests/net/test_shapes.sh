#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_shapes.sh - services of several ports and addresses, without backends, chosen packet
# by packet, pings that the balancer answers, and local sockets; over IPv4 and IPv6.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"

# configure SERVICE_FORMAT BACKEND_FORMAT PREFIX: 10 is the balancer's own address.
# shellcheck disable=SC2059 # formats
configure()
{
	local own any n

	own=$(printf "$1" 10) any=$(printf "$1" 100)
	cat <<-END
		service add $any:any/tcp forward fullnat icmp-reply on
		service add $own:8000-8001/tcp forward fullnat
		service add $3:8000/tcp forward fullnat
		service add $own:8200/udp forward fullnat persistence none
		service add $own:8100/tcp
		service add $own:8100/udp
		service add $own:8101/tcp on-empty drop
		service add $own:8400/tcp on-empty pass
		service add $own:8400/udp on-empty pass
		service add $own:8300/tcp forward local
		service add $own:8300/udp forward local
		backend add $own:8300/tcp $own:8400
		backend add $own:8300/udp $own:8400
		service add $own:8301/udp forward local
		backend add $own:8301/udp $own:7400
	END
	for n in 2 3; do
		printf "backend add $any:any/tcp $2\n" "$n"
		printf "backend add $own:8000-8001/tcp $2\n" "$n"
		printf "backend add $3:8000/tcp $2\n" "$n"
		printf "backend add $own:8200/udp $2:8000\n" "$n"
	done
}

apply()
{
	{
		configure 10.0.0.%d 10.0.0.%d 10.0.9.0/28
		configure '[fd00:5::%d]' '[fd00:5::%d]' '[fd00:9::]/64'
	} >"$lab_tmp/lb.conf"
	lbctl apply "$lab_tmp/lb.conf"
}

# The services' addresses are those that backends see, too.
way_to_prefix()
{
	on "$1" ip route add 10.0.9.0/28 via 10.0.0.10 &&
		on "$1" ip route add fd00:9::/64 via fd00:5::10
}

build()
{
	lab_basic 2 3
	lab_backend b2 8001 9001
	lab_backend b3 8001 9001
	lab_backend lb 8400 9400
	{
		on lb ip addr add 10.0.0.100/32 dev eth0 &&
			on lb ip addr add fd00:5::100/128 dev eth0 nodad &&
			way_to_prefix client && way_to_prefix b2 && way_to_prefix b3
	} || lab_die "no addresses for services"
}

# Strictly in turn, one datagram each.
in_turn()
{
	local said

	said=$(datagram "$1" 8200 8 | xargs) || return 1
	is "$(tr ' ' '\n' <<<"$said" | uniq | wc -l)" 8
}

# The balancer's kernel would answer, too.
answers_ping()
{
	local before

	before=$(counted echo)
	pings "$1" 4 && is $(($(counted echo) - ${before:-0})) 4
}

# is_shaped IP HOST ANY_IP ANY_HOST PREFIX_HOST
is_shaped()
{
	check "$what: any port, curl gets both backends" both_backends "$4:8000"
	check "$what: any port, nc talks TCP" lines "$3" 9000
	check "$what: any port, a closed one refuses" fails 7 get "$4:7000"
	check "$what: a range, its first port" both_backends "$2:8000"
	check "$what: a range, its last port" both_backends "$2:8001"
	check "$what: a prefix, curl gets both backends" both_backends "$5:8000"
	check "$what: a prefix, 3 MB come" download "$5:8000"
	check "$what: persistence none, datagrams go in turn" in_turn "$1"
	check "$what: icmp-reply, the balancer answers ping itself" answers_ping "$3"
	check "$what: no backend, TCP is refused" fails 7 get "$2:8100"
	check "$what: no backend, UDP is refused" fails 7 datagram "$1" 8100
	limit=2 check "$what: no backend, on-empty drop is silent" fails 28 get "$2:8101"
	check "$what: no backend, on-empty pass: a connection is the host's" \
		answers lb get "$2:8400"
	check "$what: no backend, on-empty pass: datagrams are the host's" \
		answers lb datagram "$1" 8400
	check "$what: local, curl gets the host's own server" answers lb get "$2:8300"
	check "$what: local, its datagrams come from the service" \
		answers lb datagram "$1" 8300
	check "$what: local, a port that nobody has refuses" fails 7 datagram "$1" 8301
}

test_mode()
{
	local mode=$1 what

	lab_open
	build
	lab_attach "$mode"
	check "$mode: services are configured" apply || return
	what="$mode, IPv4"
	is_shaped 10.0.0.10 10.0.0.10 10.0.0.100 10.0.0.100 10.0.9.5
	what="$mode, IPv6"
	is_shaped fd00:5::10 '[fd00:5::10]' fd00:5::100 '[fd00:5::100]' '[fd00:9::5]'
}

for mode in native skb; do
	test_mode "$mode"
	lab_clear
done
tap_end
