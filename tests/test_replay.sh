#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_replay.sh - packets of a file: explained one by one, and summed up by this
# configuration and by another.
#
# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

S=10.0.0.10:80/tcp

# capture NAME LINK WHAT...: $tmp/NAME.pcap
capture() {
	local name=$1
	shift
	python3 tests/net/capture.py "$tmp/$name.pcap" "$@"
}

# replayed FILE [CONFIGURATION]: into $tmp/json
replayed() {
	lb -j replay "$@" >"$tmp/json" 2>"$tmp/err"
}

# has NAME WANTED FILTER: of what was replayed.
has() {
	local got

	got=$(jq -c "$3" "$tmp/json" 2>&1)
	[ "$got" = "$2" ]
	test_is $? "$1" "wanted $2
got    $got
$(head -c 1000 "$tmp/err")"
}

setup() {
	local i

	for i in 1 2 3 4; do
		in_ns ip neigh add 10.0.0.$i lladdr 02:00:00:00:01:0$i dev v0
	done
	lb -q chain attach v0 flows 1024
	{
		echo "policy set hash"
		echo "service add $S"
		echo "backend add $S 10.0.0.2"
		echo "backend add $S 10.0.0.3"
		echo "service add 10.0.0.10:81/tcp"
		echo "backend add 10.0.0.10:81/tcp 10.0.0.4"
	} >"$tmp/lb.conf"
	does "(set up)" lb -b "$tmp/lb.conf"
	capture some ethernet 10.0.0.1:40001-40100/10.0.0.10:80 \
		10.0.0.1:40001-40010/10.0.0.10:81 10.0.0.1:40001-40005/10.0.0.10:82
}

one_by_one() {
	prints "the first packet makes the flow" "^verdict .*(new-flow|refresh|resolving): " \
		lb explain "$tmp/one.pcap" limit 1
	lb explain "$tmp/one.pcap" >"$tmp/said" 2>&1
	counts "three packets" 3 "^packet " cat "$tmp/said"
	counts "... of which two find the flow" 2 "^parse     $S, fullnat: a known flow, " cat "$tmp/said"
	counts "... established by the second" 1 "a known flow, established, to 10\.0\.0\.[23]:80" \
		cat "$tmp/said"
	counts "... and a line between them" 2 '^$' cat "$tmp/said"
	is_json packets explain "$tmp/one.pcap"
	counts "JSON has them all" 1 '^\["new","known","known"\]$' \
		jq -c '[.packets[].flow]' "$tmp/json"
	does "standard input is a file, too" lb explain - limit 2 <"$tmp/one.pcap"
	counts "... and was read" 2 "^packet " cat "$tmp/out"
}

sums() {
	replayed "$tmp/some.pcap"
	has "all packets" 345 .packets
	has "flows, each once" 110 .flows
	has "whom they go to, by service" '[["10.0.0.10:80/tcp",100,300],["10.0.0.10:81/tcp",10,30]]' \
		'[.backends | group_by(.service)[] | [.[0].service, (map(.flows) | add), (map(.packets) | add)]]'
	has "both backends have some" true \
		'[.backends[] | select(.service == "10.0.0.10:80/tcp") | .flows > 20] | all and length == 2'
	has "bytes are those of the file" 28820 '[.backends[].bytes] | add'
	has "reasons" '["not-ours",15]' \
		'.reasons[] | select(.reason == "not-ours") | [.reason, .packets]'
	has "... of all packets" 345 '[.reasons[].packets] | add'
	lb replay "$tmp/some.pcap" >"$tmp/said" 2>&1
	prints "for people: by backend" "^10\.0\.0\.10:81/tcp +10\.0\.0\.4:81 +10 +30 +2620$" cat "$tmp/said"
	prints "... and reason" "^not-ours +pass +15 +no service" cat "$tmp/said"
	counts "nothing of the instance has changed" 1 '^0$' lb flow count
}

# What is said to move is what the other configuration does.
moves() {
	sed 's/^backend add 10.0.0.10:80.tcp 10.0.0.3$/&\nbackend add 10.0.0.10:80\/tcp 10.0.0.4/;
		/:81/d' "$tmp/lb.conf" >"$tmp/other.conf"
	lb save >"$tmp/before"
	replayed "$tmp/some.pcap" "$tmp/other.conf"
	has "a backend more takes its share, and no others move" '["10.0.0.4:80"]' \
		'[.moves[] | select(.service == "10.0.0.10:80/tcp") | .to] | unique'
	has "... about a third" true \
		'[.moves[] | select(.service == "10.0.0.10:80/tcp") | .flows] | add | . > 15 and . < 55'
	has "flows of a service that goes have nowhere to go" \
		'[{"service":"10.0.0.10:81/tcp","from":"10.0.0.4:81","to":null,"flows":10}]' \
		'[.moves[] | select(.service == "10.0.0.10:81/tcp")]'
	has "what moves is the sum" true '.moved_flows == ([.moves[].flows] | add)'
	has "flows then" 100 '[.backends[].flows_then] | add'
	has "reasons then" 45 '.reasons[] | select(.reason == "not-ours") | .packets_then'
	prints "for people" "^[0-9]+ of 110 flows would move$" lb replay "$tmp/some.pcap" "$tmp/other.conf"
	lb save >"$tmp/after"
	test_is "$(cmp -s "$tmp/before" "$tmp/after"; echo $?)" "nothing of the instance has changed"
	{
		lb save
		echo "chain attach v2"
	} >"$tmp/same.conf"
	replayed "$tmp/some.pcap" "$tmp/same.conf"
	has "by the same configuration nothing moves" '[0,[]]' '[.moved_flows, .moves]'
	counts "... and no interface is touched" 0 '^v2' lb chain show
}

# What captures are like.
odd_files() {
	capture large ethernet large 10.0.0.1:40001-40003/10.0.0.10:80
	replayed "$tmp/large.pcap"
	has "what GRO had made large is tried as one packet" '[9,3]' '[.packets, .flows]'
	has "... none of which is too big" '[]' '[.reasons[] | select(.reason == "truncated" or .reason == "malformed")]'
	capture short ethernet short 10.0.0.1:40001-40003/10.0.0.10:80
	replayed "$tmp/short.pcap"
	has "what was not kept whole" '[9,3,[]]' \
		'[.packets, .flows, [.reasons[] | select(.reason == "truncated")]]'
	capture raw raw 10.0.0.1:40001-40003/10.0.0.10:80
	replayed "$tmp/raw.pcap"
	has "without an Ethernet header" '[9,3]' '[.packets, .flows]'
	capture any any 10.0.0.1:40001-40003/10.0.0.10:80 arp
	replayed "$tmp/any.pcap"
	has "of 'tcpdump -i any', and what is not IP" '[9,3,1]' '[.packets, .flows, .packets_other]'
	capture ours ethernet 10.0.0.1:40001-40003/10.0.0.10:80 \
		"from=$(in_ns ip -j link show v0 | jq -r '.[0].address')" 10.0.0.1:40001-40003/10.0.0.10:80
	replayed "$tmp/ours.pcap"
	has "what we sent ourselves is left out" '[9,9]' '[.packets, .packets_ours]'
	prints "... and that is said" "9 packets were left out: interfaces that have the chain" \
		lb replay "$tmp/ours.pcap"
	capture none ethernet
	replayed "$tmp/none.pcap"
	has "an empty file" '[0,[]]' '[.packets, .backends]'
}

refusals() {
	head -c 2000 "$tmp/some.pcap" >"$tmp/cut.pcap"
	echo "no packets" >"$tmp/text.pcap"
	echo "service add nonsense" >"$tmp/bad.conf"
	refuses 2 "the file with packets is missing" replay
	refuses 1 "none.such: No such file" replay "$tmp/none.such"
	refuses 1 "text.pcap: (unknown file format|truncated)" replay "$tmp/text.pcap"
	refuses 1 "cut.pcap: truncated" replay "$tmp/cut.pcap"
	refuses 1 "none.conf" replay "$tmp/some.pcap" "$tmp/none.conf"
	refuses 1 "bad.conf:1: service 'nonsense'" replay "$tmp/some.pcap" "$tmp/bad.conf"
	refuses 2 "standard input can be read once" replay - "$tmp/lb.conf"
	refuses 2 "one word too many|unknown keyword" replay "$tmp/some.pcap" "$tmp/lb.conf" more
	refuses 1 "none.such: No such file" explain "$tmp/none.such"
	refuses 2 "limit '0': not a number" explain "$tmp/some.pcap" limit 0
}

setup
capture one ethernet 10.0.0.1:4711-4711/10.0.0.10:80
one_by_one
sums
moves
odd_files
refusals
finish
