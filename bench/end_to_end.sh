#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# end_to_end.sh - packets a second through one cable: ours, and what else forwards packets.
#
# A host called world has a cable to each that is measured.  It is the clients and the four
# backends at once: `live` sends 64 byte packets of 1024 flows into the cable, and counts what
# comes back for a backend's MAC and address, where it arrives.  One CPU does it all, the
# sending, what is measured and the counting, so a figure is what that CPU does in a second,
# and only the ratios mean much.  The rows:
#
#     floor	  an XDP program that sends all to one backend's MAC, and does nothing else
#     ours	  TCP in four modes, UDP in one: flows that are known
#     forwarding  the kernel as a router, to the same backends' own addresses
#     nftables	  the kernel with nftables' DNAT: flows that conntrack knows
#
# Prints JSON, one object a line: medians of the rounds, in each of which every row has its
# turn.  A row whose packets did not go the way it claims is an error.  With --quick there
# are fewer and shorter rounds.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../tests/net/lab.sh"

ROUNDS=9
TURN=0.25	# seconds, each row in each round
FLOWS=1024
live=$lab_build/bench/live
hosts=(floor lb router nft)

# Name, host, service's address, protocol, what makes a packet one that arrived.
rows=(
	"floor		floor	10.0.0.100 tcp mac"
	"nat		lb	10.0.0.100 tcp address"
	"fullnat	lb	10.0.0.101 tcp address"
	"dsr		lb	10.0.0.102 tcp mac"
	"ipip		lb	10.0.0.103 tcp address"
	"nat-udp	lb	10.0.0.100 udp address"
	"forwarding	router	10.0.0.1   tcp address"
	"nftables	nft	10.0.0.100 tcp address"
	"nftables-udp	nft	10.0.0.100 udp address"
)

say()
{
	echo "${0##*/}: $*" >&2
}

# ---- the network -----------------------------------------------------------------------

# cable HOST: it is 10.0.0.10, backends are .1 to .4, and clients behind the router .9.  The
# world's end of the cable has the host's name.  Nobody answers ARP in the world.
cable()
{
	local host=$1 n

	{
		lab_netns "$host" &&
			ip link add eth0 netns "$lab_id-$host" address 02:00:00:00:00:aa \
				type veth peer name "$host" netns "$lab_id-world" &&
			on "$host" ethtool -K eth0 tx off txvlan off rxvlan off &&
			on "$host" ip addr add 10.0.0.10/24 dev eth0 &&
			on "$host" ip link set eth0 up &&
			on world ip link set "$host" up &&
			on "$host" ip route add 10.9.0.0/16 via 10.0.0.9
	} >/dev/null || lab_die "cannot make the cable to $host"
	for n in 1 2 3 4 9; do
		on "$host" ip neigh add "10.0.0.$n" lladdr "02:00:00:00:00:0$n" dev eth0 \
			nud permanent || lab_die "cannot tell $host its neighbours"
	done
}

# prepare_router HOST: the kernel forwards.  With GRO it takes what comes in batches, which is
# faster than without, and than a program that passes all.
prepare_router()
{
	{
		on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \
			net.ipv4.conf.eth0.send_redirects=0 net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.eth0.rp_filter=0 &&
			on "$1" ethtool -K eth0 gro on
	} || lab_die "$1 is no router"
}

# Clients' checksums are what network cards verify: conntrack is spared that.  It sees one
# direction only, so it shall not ask whether sequence numbers fit.
prepare_nft()
{
	prepare_router nft
	on nft nft -f - <<-'RULES' || lab_die "nftables does not take the rules"
		table ip peer {
			chain prerouting {
				type nat hook prerouting priority dstnat
				ip daddr 10.0.0.100 meta l4proto { tcp, udp } th dport 80 \
					dnat to numgen inc mod 4 map { 0 : 10.0.0.1, \
					1 : 10.0.0.2, 2 : 10.0.0.3, 3 : 10.0.0.4 }
			}
		}
	RULES
	on nft sysctl -qw net.netfilter.nf_conntrack_checksum=0 \
		net.netfilter.nf_conntrack_tcp_be_liberal=1 \
		net.netfilter.nf_conntrack_tcp_loose=1 || lab_die "conntrack is not there"
}

services()
{
	local each service

	for each in 100:80/tcp\ nat 100:80/udp\ nat 101:80/tcp\ fullnat 102:80/tcp\ dsr \
		103:80/tcp\ ipip; do
		service=10.0.0.${each% *}
		echo "service add $service forward ${each#* }"
		printf "backend add $service %s\n" 10.0.0.{1..4}
	done
}

prepare_lb()
{
	local n

	for n in 100 101 102 103; do
		on lb ip addr add "10.0.0.$n/32" dev eth0 || lab_die "no address .$n"
	done
	lbctl -q chain attach eth0 || lab_die 'cannot attach'
	services >"$lab_tmp/lb.conf"
	lbctl apply "$lab_tmp/lb.conf" || lab_die 'cannot configure'
}

build()
{
	local host

	lab_netns world || lab_die 'cannot make the world'
	on world sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	for host in "${hosts[@]}"; do
		cable "$host"
	done
	on floor "$live" floor eth0 || lab_die 'no floor'
	prepare_router router
	prepare_nft
	prepare_lb
}

# ---- measuring -------------------------------------------------------------------------

# sends HOST ADDRESS PROTOCOL WANT OPTION...
sends()
{
	local host=$1 address=$2 protocol=$3 want=$4

	shift 4
	[ "$protocol" = tcp ] || set -- "$@" --udp
	on world "$live" send "$host" --to 02:00:00:00:00:aa --source 10.9.0.1 \
		--backends 10.0.0.0 --dest "$address" --flows "$FLOWS" --want "$want" "$@"
}

# counted: known flows so far, by the balancer's own counters.
counted()
{
	lbctl -j stats | jq '[.reasons[] | select(.reason == "known-flow").packets] | add'
}

# turn ROUND NAME HOST ADDRESS PROTOCOL WANT: one measurement, one line for the summary.
turn()
{
	local round=$1 name=$2 before=0 after=0 told

	shift 2
	if [ "$1" = lb ]; then
		sends "$@" --open >/dev/null || return 1
		before=$(counted)
	fi
	told=$(sends "$@" --seconds "$TURN") || return 1
	[ "$1" != lb ] || after=$(counted)
	jq -c --argjson round "$round" --arg name "$name" --arg host "$1" \
		--argjson known $((after - before)) \
		'. + {$round, $name, $host, $known}' <<<"$told" >>"$lab_tmp/turns"
}

measure()
{
	local round row name rest

	for ((round = 0; round < ROUNDS; round++)); do
		say "round $((round + 1)) of $ROUNDS"
		for row in "${rows[@]}"; do
			read -r name rest <<<"$row"
			# shellcheck disable=SC2086 # words
			turn "$round" "$name" $rest || lab_die "$name cannot be measured"
		done
	done
}

case "$*" in
'') ;;
--quick) ROUNDS=2 TURN=0.05 ;;
*) lab_die 'usage: end_to_end.sh [--quick]' ;;
esac
lab_open
build
measure
jq -nc --slurpfile turns "$lab_tmp/turns" --argjson flows "$FLOWS" \
	-f "$lab_top/bench/end_to_end.jq" || lab_die 'a row did not go its way'
