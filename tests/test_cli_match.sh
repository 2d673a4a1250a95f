#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_match.sh - the rules of policy match, from lbctl's words to the kernel and back.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

S=10.0.0.10:5000/tcp
tag() {
	echo "len 290-294 at 20 = $1 backend $2"
}

# shellcheck disable=SC2317  # called by does
rule() {
	lb policy param match rule "$1" service "${2:-$S}"
}

start() {
	lb -q apply - <<-EOF
		chain attach v0
		service add $S
		backend add $S 10.0.0.2:5001
		backend add $S 10.0.0.2:5002
		backend add $S 10.0.0.3:5002
		service add [2001:db8::10]:53/udp
		backend add [2001:db8::10]:53/udp 2001:db8::2
	EOF
	lb save >"$tmp/start"
}

# ---- added, shown, saved, removed ------------------------------------------------------

adds() {
	does "there is none at first" lb policy param match
	does "a rule" rule "$(tag 600 :5001)"
	does "a backend by its address" rule "$(tag 601 10.0.0.2:5002)"
	does "the same again is no error" rule "$(tag 600 10.0.0.2:5001)"
	does "bytes in hexadecimal" rule "$(tag 0x363032 10.0.0.3:5002)"
	does "a length alone, words apart" rule "  len   7	backend :5001 "
	does "bytes alone" rule "at 300 = x backend :5001"
	does "what is no text, of another service" \
		rule 'at 0 = 0x00ff22 backend [2001:db8::2]:53' '[2001:db8::10]:53/udp'
	does "bytes that would be read as others" \
		rule 'at 0 = 0x30783030 backend 2001:db8::2' '[2001:db8::10]:53/udp'
	cat "$tmp/start" - >"$tmp/all" <<-EOF
		policy param match rule "at 0 = 0x00ff22 backend [2001:db8::2]:53" service [2001:db8::10]:53/udp
		policy param match rule "at 0 = 0x30783030 backend [2001:db8::2]:53" service [2001:db8::10]:53/udp
	EOF
	sed -i '/10.0.0.3:5002/r /dev/stdin' "$tmp/all" <<-EOF
		policy param match rule "len 290-294 at 20 = 600 backend 10.0.0.2:5001" service $S
		policy param match rule "len 290-294 at 20 = 601 backend 10.0.0.2:5002" service $S
		policy param match rule "len 290-294 at 20 = 602 backend 10.0.0.3:5002" service $S
		policy param match rule "len 7 backend 10.0.0.2:5001" service $S
		policy param match rule "at 300 = x backend 10.0.0.2:5001" service $S
	EOF
	saved "save has them in order, behind the backends" <"$tmp/all"
	lb save >"$tmp/lb.conf"
	does "apply of save" lb -q apply "$tmp/lb.conf"
	saved "... changes nothing" <"$tmp/lb.conf"
	counts "... which a dry run says" 0 . lb apply "$tmp/lb.conf" dry-run
	counts "param shows all" 8 . lb policy param match
	counts "... or those of one service" 6 . lb policy param match service $S
	prints "policy show match has them, too" \
		'^10\.0\.0\.10:5000/tcp +len 290-294 at 20 = 600 backend 10\.0\.0\.2:5001$' \
		lb policy show match
	is_json rules policy param match
	is_json policies policy show match
	lb -j policy param match | jq -c '[.rules[] | [.length_min, .length_max, .offset, .bytes]]' \
		>"$tmp/json"
	test_is "$(grep -qF '[290,294,20,"363030"]' "$tmp/json" && grep -qF '[7,7,null,null]' \
		"$tmp/json"; echo $?)" "JSON has the parts as numbers" "$(cat "$tmp/json")"
}

# in_kernel N: the map has rules of so many services.
in_kernel() {
	local map n

	map=$(find "$pins" -name lb_match_rules)
	n=$(bpftool -j map dump pinned "$map" | jq length)
	[ "$n" -eq "$1" ]
	test_is $? "the kernel has rules of $1 services" "$n"
}

removes() {
	in_kernel 2
	does "one rule goes" lb policy param match no-rule "$(tag 601 10.0.0.2:5002)" service $S
	counts "... that one" 0 '= 601' lb save
	refuses 1 "not one of $S" policy param match no-rule "$(tag 601 10.0.0.2:5002)" service $S
	prints "apply says what it would bring back" \
		"^policy param match rule \"$(tag 601 10.0.0.2:5002)\" service $S$" \
		lb apply "$tmp/lb.conf" dry-run
	does "... and does" lb -q apply "$tmp/lb.conf"
	lb save | sort >"$tmp/got"
	test_is "$(sort "$tmp/lb.conf" | cmp -s - "$tmp/got"; echo $?)" "... all of them" \
		"$(cat "$tmp/got")"
	saved "... in the order of the file" <"$tmp/lb.conf"
	sed '/= 600/{h;d};/= 601/G' "$tmp/lb.conf" >"$tmp/other"
	counts "another first rule is a difference, for it has what has no payload" 1 \
		'^policy param match service .* first rule len .*= 600 .* -> len .*= 601 ' lb apply "$tmp/other" dry-run

	does "replacing the service keeps backends and rules" lb service replace $S
	saved "... all of them" <"$tmp/lb.conf"
	does "all of a service go" lb policy param match rule none service $S
	in_kernel 1
	does "removing none is no error" lb policy param match rule none service $S
	does "a service goes" lb service del '[2001:db8::10]:53/udp'
	in_kernel 0
	lb -q apply "$tmp/lb.conf"
	in_kernel 2
	does "what a file leaves out goes" lb -q apply "$tmp/start"
	in_kernel 0
	saved "... and all else is as it was" <"$tmp/start"
}

# ---- bad input ---------------------------------------------------------------------------

# refuses_rule STATUS REGEX RULE: of $S.
refuses_rule() {
	refuses "$1" "$2" policy param match rule "$3" service $S
}

bad_rules() {
	lb -q apply "$tmp/lb.conf"
	refuses_rule 2 "neither 'len' nor 'at'" "backend :5001"
	refuses_rule 2 "'backend' is missing" "len 9"
	refuses_rule 2 "'backend' is missing" "length 9 backend :5001"
	refuses_rule 2 "'backend' is missing" ""
	refuses_rule 2 "not N or LO-HI" "len 9-8 backend :5001"
	refuses_rule 2 "not N or LO-HI" "len 65536 backend :5001"
	refuses_rule 2 "not N or LO-HI" "len -1 backend :5001"
	refuses_rule 2 "offset is not a number" "at x = 1 backend :5001"
	refuses_rule 2 "lacks its '= BYTES'" "at 1 == 600 backend :5001"
	refuses_rule 2 "lacks its '= BYTES'" "at 1 = "
	refuses_rule 2 "pairs of hexadecimal digits" "at 1 = 0x123 backend :5001"
	refuses_rule 2 "pairs of hexadecimal digits" "at 1 = 0xfg backend :5001"
	refuses_rule 2 "pairs of hexadecimal digits" "at 1 = 0x backend :5001"
	refuses_rule 2 "more than 16 bytes" "at 1 = 12345678901234567 backend :5001"
	refuses_rule 2 "more than 16 bytes" "at 1 = 0x$(printf '%034d' 0) backend :5001"
	refuses_rule 2 "no payload of that length" "len 20-22 at 20 = 600 backend :5001"
	refuses_rule 2 "no payload of that length" "at 65533 = 600 backend :5001"
	refuses_rule 2 "there is more behind" "len 9 backend :5001 or so"
	refuses_rule 2 "port is not a number" "len 9 backend :0"
	refuses_rule 2 "not IP\[:PORT\] or :PORT" "len 9 backend web"
	refuses_rule 1 "backend ':5009' is not in $S" "len 9 backend :5009"
	refuses_rule 1 "backend '10.0.0.4:5001' is not in $S" "len 9 backend 10.0.0.4:5001"
	refuses_rule 1 "more than one backend with port 5002; name its address" \
		"len 9 backend :5002"
	refuses 1 "no such service" policy param match rule "len 9 backend :1" service 10.0.0.1:1/tcp
	refuses 2 "'service SERVICE' is missing" policy param match rule "len 9 backend :5001"
	refuses 2 "'rul': no such parameter of 'match'; did you mean 'rule'" \
		policy param match rul x service $S
	refuses 2 "the rule is missing" policy param match rule
	refuses 2 "policy's name is missing" policy param
	refuses 1 "policy 'hash': has no parameters; these have: .*match" policy param hash
	refuses 1 "policy 'hash': has no parameters" policy param hash seed 7 service $S
	refuses 1 "no such policy; there are .*did you mean 'match'" policy param mach
	refuses_file "^$tmp/file:1: .*has no parameters" <<<"policy param weighted rule x service $S"
	refuses_file "^$tmp/file:1: .*'rule' or 'no-rule', is missing" <<<"policy param match"
}

overlaps() {
	local i

	refuses_rule 1 "'$(tag 600 10.0.0.2:5002)': some packets match '$(tag 600 10.0.0.2:5001)', too" \
		"$(tag 600 10.0.0.2:5002)"
	refuses_rule 1 "some packets match 'len 290-294 at 20 = 600 " "len 294-900 backend 10.0.0.2:5002"
	refuses_rule 1 "some packets match 'len 7 backend" "len 4-7 at 3 = a backend 10.0.0.2:5002"
	refuses_rule 1 "some packets match 'len 290-294 at 20 = 600 " \
		"at 18 = xx6 backend 10.0.0.2:5002"
	does "lengths that do not meet" rule "len 8-289 at 20 = 600 backend 10.0.0.2:5002"
	does "bytes that contradict" rule "len 290-294 at 19 = x61 backend 10.0.0.2:5002"
	does "too short for the other's bytes" rule "len 295-300 backend 10.0.0.2:5002"
	does "the same backend may" rule "len 290-292 at 20 = 600 backend :5001"

	lb policy param match rule none service $S
	for i in {1..64}; do
		echo "policy param match rule \"len $i backend :5001\" service $S"
	done >"$tmp/many"
	does "as many as there may be" lb --batch "$tmp/many"
	counts "... all there" 64 ' backend ' lb policy param match service $S
	refuses_rule 1 "has 64 rules already, which is the limit" "len 65 backend :5001"
	does "one that is there is no error" rule "len 64 backend :5001"
}

# ---- what rules hold on to -----------------------------------------------------------------

holds() {
	lb -q apply "$tmp/lb.conf"
	refuses 1 "backend '10.0.0.2:5002': a rule of policy match sends to it: '$(tag 601 \
		10.0.0.2:5002)'; remove that" backend del $S 10.0.0.2:5002
	refuses 1 "a rule of policy match" backend del $S 10.0.0.2:5002 force
	refuses 1 "a rule of policy match" backend del all 10.0.0.3:5002 wait 1s
	does "a batch may remove both" lb --batch - <<-EOF
		policy param match no-rule "$(tag 601 10.0.0.2:5002)" service $S
		backend del $S 10.0.0.2:5002
	EOF
	does "... and add it again, under another id" lb --batch - <<-EOF
		backend add $S 10.0.0.2:5002
		policy param match rule "$(tag 601 10.0.0.2:5002)" service $S
	EOF
	lb save | sort >"$tmp/got"
	test_is "$(sort "$tmp/lb.conf" | cmp -s - "$tmp/got"; echo $?)" "all is as it was" \
		"$(diff <(sort "$tmp/lb.conf") "$tmp/got")"
	refuses 1 "decides for each packet, which needs 'persistence none'" \
		policy set match service $S
	refuses 1 "decides for each packet" policy set match
	refuses_file "decides for each packet" <<<"service add 10.0.0.10:7/udp policy match"
}

# Of a service that may have it.
chooses() {
	local U=10.0.0.10:5000/udp

	lb -q apply - <<-EOF
		chain attach v0
		service add $U forward local persistence none policy match
		backend add $U 10.0.0.10:5001
		backend add $U 10.0.0.10:5002
	EOF
	prints "a service without rules is a problem" \
		"^! $U +policy match has no rule: all packets are dropped; .*policy param match rule" lb
	does "the first rule" rule "$(tag 600 :5001)" $U
	counts "... mends it" 0 'no rule' lb
	does "it may be the default, if all services can have it" lb -q policy set match
	saved "save has the policy before, the rules behind" <<-EOF
		chain attach v0
		policy set match
		service add $U forward local policy match persistence none
		backend add $U 10.0.0.10:5001
		backend add $U 10.0.0.10:5002
		policy param match rule "len 290-294 at 20 = 600 backend 10.0.0.10:5001" service $U
	EOF
	refuses 1 "service '10.0.0.10:7/udp': policy 'match' decides for each packet" \
		service add 10.0.0.10:7/udp
	refuses 1 "in fullnat a TCP connection cannot go to several backends" \
		service add 10.0.0.10:7/tcp persistence none policy match
	does "TCP, in mode local" lb service add 10.0.0.10:7/tcp forward local \
		persistence none policy match
}

start
adds
removes
bad_rules
overlaps
holds
chooses
finish
