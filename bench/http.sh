#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# http.sh - HTTP requests and connections a second: direct, through us, through others.
#
# wrk asks an nginx for a file of 1 KB.  What is between takes its CPU from those that client
# and server need, so each row says what is left of the direct one, where nothing is between.
# There is no switch: it would cost CPU as well, and twice where something is between.  The two
# backends are two addresses of one host, whose two processes take connections of both: with
# two hosts, each of wrk's threads would have one for itself and share a CPU with it, but only
# where nothing is between; then a balancer is blamed for wakeups of the other CPU.
#
#     direct	client ---- www
#     ours	client ---- lb ---- www		in nat, fullnat and dsr
#     forwarding	client ---- router ---- www	the kernel routes: what one more host costs
#     nftables	client ---- nft ---- www	DNAT, as our nat
#     haproxy	client ---- haproxy ---- www	in TCP mode: ends connections, makes others
#
# Requests are counted on connections that stay, connections by requests that close theirs.
# Prints JSON, one object a line: medians of the rounds, in each of which every row has its
# turn.  A row with requests that failed, or that did not pass our chain, is an error.  With
# --quick there are fewer rounds.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../tests/net/lab.sh"

ROUNDS=5
TURN=1		# seconds, each row in each round
PORT=80
CONNECTIONS=64

# Name, host between, what is asked.
rows=(
	"direct		-	10.1.1.2 10.1.1.3"
	"nat		lb	10.2.0.100"
	"fullnat	lb	10.2.0.101"
	"dsr		lb	10.2.0.102"
	"forwarding	router	10.5.1.2 10.5.1.3"
	"nftables	nft	10.3.0.10"
	"haproxy	haproxy	10.4.0.10"
)

say()
{
	echo "${0##*/}: $*" >&2
}

# ---- hosts -----------------------------------------------------------------------------

# end HOST DEV ADDRESS: of a cable.  Packets that pass native XDP need their checksums; GRO
# makes an interface take what XDP redirects to it, if it is switched on when it is up.
end()
{
	on "$1" ethtool -K "$2" tx off txvlan off rxvlan off &&
		on "$1" ip addr add "$3/24" dev "$2" &&
		on "$1" ip link set "$2" up &&
		on "$1" ethtool -K "$2" gro on
}

# cable HOST ADDRESS HOST ADDRESS: the interfaces are called as what they lead to.
cable()
{
	{
		ip link add "$3" netns "$lab_id-$1" type veth peer name "$1" \
			netns "$lab_id-$3" &&
			end "$1" "$3" "$2" &&
			end "$3" "$1" "$4"
	} >/dev/null || lab_die "no cable from $1 to $3"
}

# between NET HOST: client 10.NET.0.1, the host .10 on both sides, the backends 10.NET.1.2 and
# .3; they reach the client, and all that the host may be there, by way of it.
between()
{
	local net=$1 host=$2

	lab_netns "$host" || lab_die "cannot make $host"
	cable client "10.$net.0.1" "$host" "10.$net.0.10"
	cable "$host" "10.$net.1.10" www "10.$net.1.2"
	{
		on www ip addr add "10.$net.1.3/24" dev "$host" &&
			on www ip route add "10.$net.0.0/24" via "10.$net.1.10"
	} || lab_die "no way from www to $host"
}

server()
{
	local conf=$lab_tmp/nginx

	cat >"$conf" <<-CONF
		daemon off;
		user root;
		worker_processes 2;
		pid $conf.pid;
		error_log stderr error;
		events { worker_connections 4096; }
		http {
			access_log off;
			keepalive_requests 100000000;
			client_body_temp_path $conf.body;
			proxy_temp_path $conf.proxy;
			fastcgi_temp_path $conf.fastcgi;
			uwsgi_temp_path $conf.uwsgi;
			scgi_temp_path $conf.scgi;
			server { listen $PORT backlog=4096; root $lab_tmp/www; }
		}
	CONF
	lab_start www nginx -e stderr -c "$conf"
	listens www
}

listens()
{
	local _

	for _ in {1..100}; do
		[ -z "$(on "$1" ss -Htln "sport = :$PORT")" ] || return 0
		sleep 0.05
	done
	lab_die "nothing listens on $1: $(tail -n 1 "$lab_tmp/$1.log")"
}

# What dsr wants of a backend.
has_address()
{
	on "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
		net.ipv4.conf.all.rp_filter=0 &&
		on "$1" ip addr add 10.2.0.102/32 dev lo
}

# Connections that are over leave conntrack soon: it shall not be full.
prepare_nft()
{
	between 3 nft
	on nft nft -f - <<-RULES || lab_die "nftables does not take the rules"
		table ip peer {
			chain prerouting {
				type nat hook prerouting priority dstnat
				ip daddr 10.3.0.10 tcp dport $PORT \
					dnat to numgen inc mod 2 map { 0 : 10.3.1.2, 1 : 10.3.1.3 }
			}
		}
	RULES
	on nft sysctl -qw net.ipv4.ip_forward=1 \
		net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
		net.netfilter.nf_conntrack_tcp_timeout_close=1 || lab_die 'nft is no router'
}

prepare_router()
{
	between 5 router
	on router sysctl -qw net.ipv4.ip_forward=1 &&
		on client ip route add 10.5.1.0/24 via 10.5.0.10
}

prepare_haproxy()
{
	between 4 haproxy
	cat >"$lab_tmp/haproxy.cfg" <<-CONF
		global
			maxconn 4000
		defaults
			mode tcp
			timeout connect 5s
			timeout client 30s
			timeout server 30s
		listen http
			bind 10.4.0.10:$PORT backlog 4096
			server b2 10.4.1.2:$PORT
			server b3 10.4.1.3:$PORT
	CONF
	lab_start haproxy haproxy -db -f "$lab_tmp/haproxy.cfg"
	listens haproxy
}

# What the backends answer in dsr goes to the client's address on the direct cable.
prepare_lb()
{
	local mode service

	between 2 lb
	for mode in 100:nat 101:fullnat 102:dsr; do
		service=10.2.0.${mode%:*}
		on lb ip addr add "$service/32" dev client || lab_die "no address $service"
		echo "service add $service:$PORT/tcp forward ${mode#*:}"
		printf "backend add $service:$PORT/tcp %s\n" 10.2.1.2 10.2.1.3
	done >"$lab_tmp/lb.conf"
	on client ip route add 10.2.0.102/32 dev lb src 10.1.1.1 || lab_die 'no way for dsr'
	lbctl -q chain attach client www || lab_die 'cannot attach'
	lbctl apply "$lab_tmp/lb.conf" || lab_die 'cannot configure'
}

build()
{
	mkdir "$lab_tmp/www"
	head -c 768 /dev/urandom | base64 -w 0 >"$lab_tmp/www/index.html"
	lab_netns client || lab_die 'cannot make the client'
	lab_netns www || lab_die 'cannot make the server'
	cable client 10.1.1.1 www 10.1.1.2
	on www ip addr add 10.1.1.3/24 dev client || lab_die 'no second backend'
	has_address www || lab_die 'www does not take the address of dsr'
	server
	prepare_lb
	prepare_router || lab_die 'router is no router'
	prepare_nft
	prepare_haproxy
}

# ---- measuring -------------------------------------------------------------------------

# counted: clients' packets that were forwarded so far.
counted()
{
	lbctl -j stats | jq '[.reasons[] |
		select(.reason == ("known-flow", "new-flow")).packets] | add'
}

# asks CLOSE ADDRESSES...: the JSON of what wrk prints.
asks()
{
	local close=$1

	shift
	on client env ${close:+CLOSE=1} ADDRESSES="$*" PORT="$PORT" \
		wrk -t 2 -c "$CONNECTIONS" -d "${TURN}s" -s "$lab_top/bench/http.lua" \
		"http://$1:$PORT/" | grep '^{'
}

# turn ROUND CLOSE NAME HOST ADDRESS...: one measurement, one line for the summary.
turn()
{
	local round=$1 close=$2 name=$3 host=$4 before=0 after=0 told

	shift 4
	[ "$host" != lb ] || before=$(counted)
	told=$(asks "$close" "$@") || return 1
	[ "$host" != lb ] || after=$(counted)
	jq -c --argjson round "$round" --arg name "$name" --arg host "$host" \
		--arg close "$close" --argjson packets $((after - before)) \
		'. + {$round, $name, $host, close: ($close != ""), $packets}' \
		<<<"$told" >>"$lab_tmp/turns"
}

measure()
{
	local round row name host addresses close

	for ((round = 0; round < ROUNDS; round++)); do
		say "round $((round + 1)) of $ROUNDS"
		for row in "${rows[@]}"; do
			read -r name host addresses <<<"$row"
			for close in '' close; do
				# shellcheck disable=SC2086 # words
				turn "$round" "$close" "$name" "$host" $addresses ||
					lab_die "$name cannot be measured"
			done
		done
	done
}

case "$*" in
'') ;;
--quick) ROUNDS=1 ;;
*) lab_die 'usage: http.sh [--quick]' ;;
esac
lab_open
build
measure
jq -nc --slurpfile turns "$lab_tmp/turns" -f "$lab_top/bench/http.jq" ||
	lab_die 'a row did not go its way'
