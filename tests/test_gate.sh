#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_gate.sh - policies that lie are refused, each for its own reason; honest ones are not.
#
# What each lie is stands in tests/policies.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"
lies=$build/tests/policies

# loaded NAME...: these policies are loaded beside the shipped ones, and no others.
loaded() {
	lb -j policy show | jq -r '.policies[].policy' | grep -vxF "$shipped" | sort | xargs
}

# refused NAME REGEX: exit status 1, one line with the reason and the remedy, nothing loaded.
refused() {
	refuses 1 "$lies/$1.bpf.o: $2" policy load "$lies/$1.bpf.o"
	test_is $(($(loaded | wc -w) != 0)) "... and is not loaded" "$(loaded)"
}

# lies NAME WHY: the same, by the gate.
lies() {
	refused "$1" "the gate refuses policy '[a-z-]+': $2; 'force' loads it all the same$"
}

of='[0-9]+ flows'
flow='[0-9a-f:.[]+(]?:[0-9]+)?/(tcp|udp|icmp|icmpv6)'

liars() {
	lies one_too_far "range: answers none of [0-9]+ slots for $flow"
	lies shouter "range: ends the packet of $flow itself"
	lies overtuned "range: answers none of [0-9]+ slots for $flow"
	lies favourite "even: share of slot 3 of 10 is (1\.[7-9]|2\.[01])[0-9]x, of $of"
	lies nobody "even: drops ([0-9]+) of \1 flows"
	lies weightless "weight: share of slot [02] of 3 is (1\.[89]|2\.[01]|0\.[67])[0-9]x, of $of"
	lies forgetful "sticky: $flow gets backend [0-9]+, then [0-9]+, of 10"
	lies portly "by-address: $flow gets backend [0-9]+, then [0-9]+, of 10"
	lies modulo "consistent: [1-9][0-9]% of the others' flows move when 1 of (10|50) backends goes"
	lies diary "consistent: [5-9][0-9]% of the others' flows move when 1 of 10 backends goes"
	lies secretive "consistent, elsewhere: $flow gets backend [0-9]+, then [0-9]+, of 10"
	lies dated "consistent: [4-9][0-9]% of the others' flows move when 1 of (10|50) backends goes"
	lies deaf "range: answers none of [0-9]+ slots for $flow"
	lies patient "cost: [0-9]{6,} ns to choose among 200 backends, the limit is [0-9]+"
	lies sluggish "cost: [0-9]{6,} ns to choose among 200 backends, the limit is [0-9]+"
}

wrong_objects() {
	local flags

	refused endless "the kernel's verifier refuses it: .*too large.* \('lbctl -v' shows"
	refused careless "the kernel's verifier refuses it: R[0-9] .*map_value_or_null"
	refused stranger "its map lb_strangers is none of the instance's"
	refused from_yesterday "was built for ABI version 1, this lbctl has [0-9]+; build it again"
	refused braggart "not a policy: what it says of itself makes no sense"
	refused socket "not a policy: .* XDP program"
	refused publisher "its map swy_published is to be pinned; maps of a policy are its own"
	test_is "$([ ! -e /sys/fs/bpf/swy_published ]; echo $?)" "... and is not pinned"
	read -ra flags < <(PKG_CONFIG_PATH=$build pkg-config --variable=bpf_cflags switchyard)
	clang "${flags[@]}" -g0 "-I$build/include/switchyard" -c tests/policies/honest.bpf.c \
		-o "$tmp/bare.bpf.o"
	refuses 1 "bare.bpf.o: has no BTF, which says what its maps are; build it with -g" \
		policy load "$tmp/bare.bpf.o"
	mkfifo "$tmp/pipe"
	refuses 1 "$tmp/pipe: not a regular file" policy load "$tmp/pipe"
	refuses 1 "$tmp: not a regular file" policy load "$tmp"
	refused option "not a policy: what it says of itself makes no sense"
	refused mumbler "tunable 1: its name or help is none"
	refuses 1 "policy 'default': means the default policy; 'name NAME'" \
		policy load "$lies/usurper.bpf.o"
	refuses 1 "not a policy: it has no LB_POLICY" policy load "$build/progs/lb_dsr.bpf.o"
	lb -v policy load "$lies/careless.bpf.o" 2>&1 | grep -A99 -m1 '^    ' >"$tmp/last"
	counts "-v has the verifier's last lines" 1 "^    R[0-9] .*map_value_or_null" \
		cat "$tmp/last"
	test_is $(($(grep -c '^    ' "$tmp/last") < 5 || $(grep -c '^    ' "$tmp/last") > 20)) \
		"... with the instructions before, but not all" "$(cat "$tmp/last")"
}

honest() {
	prints "an honest policy passes, and its cost is told" \
		"^lbctl: policy 'honest': passed the gate, [1-9][0-9]* ns a decision$" \
		lb policy load "$lies/honest.bpf.o"
	test_is "$([ "$(loaded)" = honest ]; echo $?)" "... and is loaded" "$(loaded)"
	refuses 1 "policy 'honest': is loaded already, from honest.bpf.o; 'replace' takes" \
		policy load "$lies/honest.bpf.o"
	does "... but replaced if told to" lb -q policy load "$lies/honest.bpf.o" replace
	does "... or loaded under another name" \
		lb -q policy load "$lies/honest.bpf.o" name honest.2
	test_is "$([ "$(loaded)" = "honest honest.2" ]; echo $?)" "... beside the first" \
		"$(loaded)"
	does "it serves as the default" lb policy set honest.2
	for name in "a b" "" 9lives .x "$(printf 'x%.0s' {1..32})"; do
		refuses 1 "policy '$name': a name is a letter and up to 30 letters, digits" \
			policy load "$lies/honest.bpf.o" name "$name"
	done
	refuses 1 "policy '-q': a name is a letter" \
		policy load "$lies/honest.bpf.o" name -- -q
	refuses 1 "policy 'default': means the default policy" \
		policy load "$lies/honest.bpf.o" name default
	refuses 2 "'name': its value is missing" policy load "$lies/honest.bpf.o" name
	refuses 2 "'replace' is given twice" policy load "$lies/honest.bpf.o" replace replace
}

# What is refused does not replace what is there; what is forced is marked.
forced() {
	cp "$lies/favourite.bpf.o" "$tmp/worse.bpf.o"
	refuses 1 "the gate refuses policy 'honest': even: share" \
		policy load "$tmp/worse.bpf.o" name honest replace
	counts "... and the one that it would replace is there" 1 '"file": *"honest.bpf.o"' \
		lb -jp policy show honest
	prints "force loads it all the same, and says what is wrong" \
		"^lbctl: policy 'favourite': FORCED, .*: even: share of slot 3 of 10 is " \
		lb policy load "$lies/favourite.bpf.o" force
	counts "what is forced is no problem while it does not choose" 0 FORCED lb
	lb service add 10.0.0.10:80/tcp forward fullnat policy favourite
	prints "... and one when it does" \
		"^! policy favourite +FORCED, and chooses for 1 service: even: share of slot 3" lb
	lb service del 10.0.0.10:80/tcp
	prints "force is nothing if there is nothing wrong" \
		"^lbctl: policy 'honest': passed the gate" \
		lb policy load "$lies/honest.bpf.o" replace force
	refuses 1 "the kernel's verifier refuses it" policy load "$lies/careless.bpf.o" force
}

# What a policy promises binds the services of the one that it replaces; and what was loaded
# is shown, however its file is called.
replaces() {
	local name=$'odd \xff.bpf.o'

	lb -q policy load "$lies/honest.bpf.o" name mine
	lb service add 10.0.0.10:80/tcp forward fullnat policy mine
	refuses 1 "service '10.0.0.10:80/tcp': policy 'mine' decides for each packet, which" \
		policy load "$build/policies/match.bpf.o" name mine replace
	refuses 1 "service '10.0.0.10:80/tcp': policy 'mine' decides for each packet, which" \
		policy load "$build/policies/match.bpf.o" name mine replace force
	does "the service may be changed" lb service set 10.0.0.10:80/tcp comment x
	cp "$lies/honest.bpf.o" "$tmp/$name"
	does "a file's name need not be UTF-8" lb -q policy load "$tmp/$name" name mine replace
	prints "... to be shown" "^mine +.* passed +odd \?.bpf.o " lb policy show mine
	is_json policies policy show mine
	counts "... as JSON, too" 1 '"file":"odd \?.bpf.o"' cat "$tmp/json"
	lb service del 10.0.0.10:80/tcp
}

# Those that are shipped pass like any other.
ships() {
	local object

	for object in "$build"/policies/*.bpf.o; do
		prints "${object##*/} passes" \
			"^lbctl: policy '[a-z0-9-]+': passed the gate, [1-9][0-9]* ns a decision$" \
			lb policy load "$object" replace
	done
}

lb -q chain attach v0
shipped=$(lb -j policy show | jq -r '.policies[].policy')
liars
wrong_objects
ships
honest
forced
replaces
finish
