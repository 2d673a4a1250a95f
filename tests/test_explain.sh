#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_explain.sh - lbctl explain: what it says of packets of each kind, and that nothing of
# the instance is touched by it.
#
# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

S=10.0.0.10:8000/tcp

# says NAME REGEX WORD...: explain prints a line like that.  It says the same each time, and
# takes a second or two to load all stages.
declare -A said=()
says() {
	local name=$1 regex=$2
	shift 2
	[ -n "${said[$*]:-}" ] || said[$*]=$(lb explain "$@" 2>&1)
	prints "$name" "$regex" echo "${said[$*]}"
}

# What is pinned, and what is in it, but for times and what hosts say by themselves.
fingerprint() {
	lb save
	lb flow count
	lb -j stats | jq -c '.reasons[] | select(.verdict != "pass") | [.reason, .packets]'
	lb -j service show | jq -c '.services[] | [.service, .packets, .drops]'
	find "$pins" | sort
	bpftool -j map dump pinned "$pins/maps/lb_live" | md5sum
	bpftool -j map dump pinned "$pins/maps/lb_nat4" | md5sum
	bpftool -j map dump pinned "$pins/maps/lb_hops" | md5sum
}

setup() {
	local i

	for i in 1 2 3; do
		in_ns ip neigh add 10.0.0.$i lladdr 02:00:00:00:01:0$i dev v0
	done
	in_ns ip addr add fd00:5::10/64 dev v0 nodad
	in_ns ip neigh add fd00:5::2 lladdr 02:00:00:00:01:02 dev v0
	lb -q chain attach v0 flows 64
	{
		echo "policy set hash"
		echo "service add $S"
		echo "backend add $S 10.0.0.2"
		echo "backend add $S 10.0.0.3 weight 0"
		echo "service add 10.0.0.11:53/udp forward dsr policy round-robin persistence client"
		echo "backend add 10.0.0.11:53/udp 10.0.0.2"
		echo "service add 10.0.0.12:81/tcp forward ipip src 10.0.0.10"
		echo "backend add 10.0.0.12:81/tcp 10.0.0.2"
		echo "service add 10.0.0.10:82/tcp policy round-robin"
		echo "backend add 10.0.0.10:82/tcp 10.0.0.3"
		echo "service add 10.0.0.10:83/tcp"
		echo "service add 10.0.0.10:84-89/tcp"
		echo "backend add 10.0.0.10:84-89/tcp 10.0.0.2:8000"
		echo "service add 10.0.0.11/icmp forward dsr"
		echo "backend add 10.0.0.11/icmp 10.0.0.2"
		echo "service add [fd00:5::10]:53/udp"
		echo "backend add [fd00:5::10]:53/udp [fd00:5::2]"
	} >"$tmp/lb.conf"
	does "(set up)" lb -b "$tmp/lb.conf"
}

of_each_kind() {
	says "the packet" "^packet    10\.0\.0\.1:4711 -> 10\.0\.0\.10:8000 tcp S, 54 bytes, by v0$" \
		10.0.0.1:4711 $S
	says "the service, and that the flow table has nothing" "^parse     $S, fullnat: no flow$" \
		10.0.0.1:4711 $S
	says "policy, generation, table, slots and backend" \
		"^policy    hash, generation [0-9]+, maglev table: one of its 16381 slots of 16381, 10\.0\.0\.2:8000$" \
		10.0.0.1:4711 $S
	says "what is rewritten" "^rewrite   10\.0\.0\.10:[0-9]+ -> 10\.0\.0\.2:8000 tcp S, 54 bytes$" \
		10.0.0.1:4711 $S
	says "where it leaves" "^next hop  .* v0$" 10.0.0.1:4711 $S
	says "verdict and reason" "^verdict   (tx, new-flow|pass, (refresh|resolving)): " 10.0.0.1:4711 $S
	says "one slot of few has a number" \
		"^policy    round-robin, .* uniform table: slot 0 of 1, 10\.0\.0\.3:82$" 10.0.0.1:4711 10.0.0.10:82/tcp
	says "who is not remembered" "^client    persistence client: it is not remembered$" \
		10.0.0.1:4711 10.0.0.11:53/udp
	says "who may have it" "^admit     10\.0\.0\.2:53 may have it$" 10.0.0.1:4711 10.0.0.11:53/udp
	says "dsr changes no address" "^dsr       10\.0\.0\.1:4711 -> 10\.0\.0\.11:53 udp, 42 bytes$" \
		10.0.0.1:4711 10.0.0.11:53/udp
	says "the outer header" "^encap     10\.0\.0\.10 -> 10\.0\.0\.2 tunnel, 74 bytes$" \
		10.0.0.1:4711 10.0.0.12:81/tcp
	says "nobody to choose" "^verdict   tx, no-backend: " 10.0.0.1:4711 10.0.0.10:83/tcp
	says "... and what the client is told" \
		"^answer    10\.0\.0\.10:83 -> 10\.0\.0\.1:4711 tcp RA, 54 bytes$" 10.0.0.1:4711 10.0.0.10:83/tcp
	says "a service of several ports, by lb_wide" "^wide      10\.0\.0\.10:84-89/tcp, fullnat: no flow$" \
		10.0.0.1:4711 10.0.0.10:86/tcp
	says "... to which lb_parse goes on" "^parse     no service of one address and port: maybe" \
		10.0.0.1:4711 10.0.0.10:86/tcp
	says "a ping" "^packet    10\.0\.0\.1 -> 10\.0\.0\.11 icmp, 42 bytes, by v0$" 10.0.0.1 10.0.0.11/icmp
	says "... and whose it is" "10\.0\.0\.11/icmp, dsr: no flow" 10.0.0.1 10.0.0.11/icmp
	says "IPv6" "^rewrite   \[fd00:5::10\]:[0-9]+ -> \[fd00:5::2\]:53 udp, 62 bytes$" \
		'[fd00:5::1]:4711' '[fd00:5::10]:53/udp'
	says "no service" "^verdict   pass, not-ours: " 10.0.0.1:4711 10.0.0.10:8001/tcp
	says "a client without a port gets one" "^packet    10\.0\.0\.1:49152 ->" 10.0.0.1 $S
	says "neither flow nor SYN: the consistent policy knows" \
		"^unknown   it was of 10\.0\.0\.2:8000$" 10.0.0.1:4711 $S flags A
	says "... another one does not" "^verdict   tx, unknown-reset: " 10.0.0.1:4711 10.0.0.10:82/tcp flags PA
	says "by another interface" "by v1$" 10.0.0.1:4711 $S dev v1
}

refusals() {
	refuses 2 "the client.* is missing" explain
	refuses 2 "the service is missing" explain 10.0.0.1:1
	refuses 2 "client '10.0.0.700:1': not an IPv4" explain 10.0.0.700:1 $S
	refuses 2 "service '10.0.0.10:84-89/tcp': a packet has one address and one port" \
		explain 10.0.0.1:1 10.0.0.10:84-89/tcp
	refuses 2 "service '10.0.0.0/24:80/tcp': a packet has one address" explain 10.0.0.1:1 10.0.0.0/24:80/tcp
	refuses 2 "one family" explain '[fd00::1]:1' $S
	refuses 2 "flags 'SX': not letters" explain 10.0.0.1:1 $S flags SX
	refuses 2 "'flags': only TCP" explain 10.0.0.1:1 10.0.0.10:53/udp flags S
	refuses 2 "did you mean 'flags'" explain 10.0.0.1:1 $S flag S
	refuses 1 "v9: no such interface" explain 10.0.0.1:1 $S dev v9
	refuses 2 "its value is missing|is missing" explain 10.0.0.1:1 $S dev
}

as_json() {
	is_json packets explain 10.0.0.1:4711 $S
	counts "JSON has all of it, once" 1 \
		'^\["10.0.0.10:8000/tcp","10.0.0.2:8000","new","hash","10.0.0.10","10.0.0.2",8000,"v0"\]$' \
		jq -c '.packets[0] | [.service, .backend, .flow, .policy, .rewrite.source,
			.rewrite.destination, .rewrite.destination_port, .next_hop.device]' "$tmp/json"
	counts "... stages in order" 1 '^parse policy rewrite$' \
		jq -r '[.packets[0].stages[].stage] | join(" ")' "$tmp/json"
}

touches_nothing() {
	fingerprint >"$tmp/before"
	for _ in 1 2; do
		lb explain 10.0.0.1:4711 $S >/dev/null
		lb explain 10.0.0.1:4712 10.0.0.10:82/tcp >/dev/null
	done
	fingerprint >"$tmp/after"
	test_is "$(cmp -s "$tmp/before" "$tmp/after"; echo $?)" "nothing of the instance changes" \
		"$(diff "$tmp/before" "$tmp/after")"
}

# lbctl beside another build of its objects, which is then what it can try.
tells_of_another_build() {
	local other=$tmp/build

	mkdir -p "$other/progs" && cp "$lbctl" "$other" && cp "$build"/progs/*.o "$other/progs" &&
		cp -r "$build/policies" "$other" &&
		sed 's/return pkt->verdict;/return pkt->verdict \& 7;/' progs/lb_trace.bpf.c >"$tmp/t.bpf.c" &&
		sh -c "$(cat "$build/bpf.flags") -c $tmp/t.bpf.c -o $other/progs/lb_trace.bpf.o" 2>"$tmp/err"
	test_is $? "(another build)" "$(cat "$tmp/err")"
	prints "stages that are not those that run are said to be others" \
		"^lbctl: .*/progs: not the stages that run, but another build" \
		in_ns "$other/lbctl" --pin-dir "$pins" explain 10.0.0.1:4711 $S
	counts "... and the same are not" 0 "another build" lb explain 10.0.0.1:4711 $S
}

# A policy of a file, built anew since, or gone.
tells_of_another_policy() {
	cp "$build/policies/random.bpf.o" "$tmp/mine.bpf.o"
	does "(a policy of a file)" lb -q policy load "$tmp/mine.bpf.o" name mine
	lb policy set mine service $S
	prints "a policy of a file" "^policy    mine, " lb explain 10.0.0.1:4711 $S
	cp "$build/policies/hash.bpf.o" "$tmp/mine.bpf.o"
	prints "... that was built anew" "^lbctl: policy 'mine': .*/mine.bpf.o was built anew" \
		lb explain 10.0.0.1:4711 $S
	rm "$tmp/mine.bpf.o"
	prints "... that has gone" "^lbctl: policy 'mine': .*/mine.bpf.o: No such file" \
		lb explain 10.0.0.1:4711 $S
	prints "... without which nothing is chosen" "^verdict   aborted, no-stage" \
		lb explain 10.0.0.1:4711 $S
}

# Killed at some moment of its work.
may_be_killed() {
	local wait

	fingerprint >"$tmp/before"
	for wait in 0.1 0.4 0.9; do
		in_ns timeout -s KILL $wait "$lbctl" --pin-dir "$pins" \
			explain 10.0.0.1:4711 $S >/dev/null 2>&1
	done
	fingerprint >"$tmp/after"
	test_is "$(cmp -s "$tmp/before" "$tmp/after"; echo $?)" "killed, it leaves everything as it was" \
		"$(diff "$tmp/before" "$tmp/after")"
}

setup
of_each_kind
refusals
as_json
touches_nothing
may_be_killed
tells_of_another_build
tells_of_another_policy
finish
