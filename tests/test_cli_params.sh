#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_params.sh - the parameters of policies, from lbctl's words to the kernel and back.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

S=10.0.0.10:80/tcp
T='[2001:db8::10]:53/udp'
told=$build/tests/policies/told.bpf.o

# in_kernel NAME SERVICE-ID "VALUE VALUE SET": what a program of policy told reads.
in_kernel() {
	local map got

	map=$pins/maps/lb_tunables_$(lb -j policy show told | jq '.policies[0].slot')
	got=$(bpftool -j map lookup pinned "$map" key hex \
		"$(printf '%02x' $(($2 & 255)))" "$(printf '%02x' $(($2 >> 8)))" 0 0 |
		jq -r '.formatted.value | "\(.value[0]) \(.value[1]) \(.set)"')
	test_is "$([ "$got" = "$3" ]; echo $?)" "$1" "$got, not $3"
}

start() {
	printf 'chain attach v0\npolicy param mine depth 3\n' >"$tmp/file"
	prints "before there is an instance nobody knows what a policy has" \
		'^policy param mine depth default -> 3$' lb apply "$tmp/file" dry-run
	lb -q apply - <<-EOF
		chain attach v0
		service add $S
		service add $T
	EOF
	lb save >"$tmp/start"
	does "a policy that has parameters is loaded" lb -q policy load "$told"
	lb save >"$tmp/start"
}

sets() {
	does "one for all services" lb policy param told slot 5
	in_kernel "... is what a service has" 0 "5 0 1"
	in_kernel "... and one to come" 99 "5 0 1"
	does "one for a service" lb policy param told plus 9 service $S
	does "both for another" lb --batch - <<-EOF
		policy param told slot 1000 service $T
		policy param told plus 0 service $T
	EOF
	in_kernel "... has its own and that of all" 0 "5 9 3"
	in_kernel "... has its own" 1 "1000 0 3"
	in_kernel "one to come has none" 99 "5 0 1"
	does "the same again is no error" lb policy param told slot 5
	sed "\|^service add $S|i policy param told slot 5" "$tmp/start" >"$tmp/all"
	sed -i "\|^service add $S|a policy param told plus 9 service $S" "$tmp/all"
	cat >>"$tmp/all" <<-EOF
		policy param told slot 1000 service $T
		policy param told plus 0 service $T
	EOF
	saved "save has them, those of a service behind it" <"$tmp/all"
}

shows() {
	prints "one that is set" '^slot +5 +all +2 +0-1000 +the slot to answer' lb policy param told
	prints "... for a service" '^slot +1000 +\[2001:db8::10\]:53/udp +2 ' lb policy param told
	prints "one that is not" '^plus +0 +all +0 +0-9 ' lb policy param told
	counts "all, and those of services" 5 '^(slot|plus) ' lb policy param told
	prints "what a service has" '^slot +5 +10\.0\.0\.10:80/tcp ' lb policy param told service $S
	prints "... of its own" '^plus +9 +10\.0\.0\.10:80/tcp ' lb policy param told service $S
	counts "... each once" 2 '^(slot|plus) ' lb policy param told service $S
	is_json params policy param told
	test_is "$(jq -e '.params[0] == {policy: "told", param: "slot", value: 5, service: null,
		set: true, initial: 2, min: 0, max: 1000,
		means: "the slot to answer, modulo their number"}' "$tmp/json" >/dev/null; echo $?)" \
		"... with numbers as numbers" "$(cat "$tmp/json")"
	lb -j policy param told service $S >"$tmp/json"
	test_is "$(jq -e '[.params[] | [.service, .value, .set]] ==
		[["10.0.0.10:80/tcp", 5, false], ["10.0.0.10:80/tcp", 9, true]]' "$tmp/json" >/dev/null
		echo $?)" "... and whose they are" "$(cat "$tmp/json")"
	prints "policy show has them, too" '^slot +1000 +\[2001:db8::10\]:53/udp' lb policy show told
	is_json policies policy show told
	test_is "$(jq -e '.policies[0].params | length == 5' "$tmp/json" >/dev/null; echo $?)" \
		"... in JSON" "$(cat "$tmp/json")"
}

applies() {
	does "apply of save" lb -q apply "$tmp/all"
	saved "... changes nothing" <"$tmp/all"
	counts "... which a dry run says" 0 . lb apply "$tmp/all" dry-run
	sed -e 's/slot 5/slot 6/' -e '/plus 0/d' -e 's/plus 9/plus 8/' "$tmp/all" >"$tmp/other"
	cat >"$tmp/want" <<-EOF
		policy param told slot 5 -> 6
		policy param told plus 9 -> 8 service $S
		policy param told plus 0 -> default service $T
	EOF
	lb apply "$tmp/other" dry-run >"$tmp/got"
	test_is "$(cmp -s "$tmp/want" "$tmp/got"; echo $?)" "a dry run says what differs" \
		"$(cat "$tmp/got")"
	saved "... and does nothing" <"$tmp/all"
	does "apply does it" lb -q apply "$tmp/other"
	saved "... all" <"$tmp/other"
	in_kernel "... in the kernel, too" 0 "6 8 3"
	in_kernel "... where one is no more, that of all holds" 1 "1000 0 1"

	does "default takes one back" lb policy param told slot default
	does "... or a service's" lb policy param told slot default service "$T"
	does "... also if it was not set" lb policy param told slot default service "$T"
	in_kernel "... so that the initial value counts" 1 "1000 0 0"
	does "what a file leaves out goes" lb -q apply "$tmp/start"
	saved "... for all and for services" <"$tmp/start"
	in_kernel "... in the kernel, too" 0 "6 8 0"
	lb -q apply "$tmp/all"
	saved "all come back" <"$tmp/all"
}

lives() {
	does "a service that is replaced keeps them" lb service replace $S
	saved "... all" <"$tmp/all"
	does "the policy, loaded once more, keeps them" lb -q policy load "$told" replace
	saved "... all" <"$tmp/all"
	in_kernel "... in its own map" 0 "5 9 3"
	lb service del "$T"
	lb service add '[2001:db8::11]:53/udp'
	prints "a new service has what holds for all" "^slot +5 +\[2001:db8::11\]" \
		lb policy param told service '[2001:db8::11]:53/udp'
	lb -q apply "$tmp/all"
}

refusals() {
	refuses 2 "'slots': no such parameter of 'told'; did you mean 'slot'.*see 'lbctl policy param told'" \
		policy param told slots 3
	refuses 2 "slot '1001': not a number from 0 to 1000, nor 'default'" policy param told slot 1001
	refuses 2 "plus '10': not a number from 0 to 9" policy param told plus 10 service $S
	refuses 2 "slot '-1': not a number" policy param told slot -1
	refuses 2 "slot '': not a number" policy param told slot ''
	refuses 2 "slot '1x': not a number" policy param told slot 1x
	refuses 2 "slot '99999999999999999999': not a number" policy param told slot 99999999999999999999
	refuses 2 "its value, or 'default', is missing" policy param told slot
	refuses 2 "'sevice'" policy param told slot 3 sevice $S
	refuses 1 "no such service" policy param told slot 3 service 10.0.0.1:1/tcp
	refuses 1 "no such service" policy param told service 10.0.0.1:1/tcp
	refuses 1 "policy 'hash': has no parameters; these have: .*told" policy param hash slot 3
	refuses 1 "policy 'hash': has no parameters; these have: .*match" policy param hash
	refuses 1 "no such policy; .*did you mean 'told'" policy param tolt slot 3
	refuses_file "^$tmp/file:2: plus '10': not a number from 0 to 9" <<-EOF
		policy param told slot 3
		policy param told plus 10
	EOF
}

unloads() {
	lb policy unload told
	counts "a policy that is unloaded takes them along" 0 told lb save
	lb -q policy load "$told"
	in_kernel "... so that it has nothing of them later" 0 "0 0 0"
}

# What save says of policies that are not shipped, and what apply makes of it.
loads() {
	local mine="$tmp/my policy.bpf.o" program

	lb -q apply "$tmp/start"
	cp "$told" "$mine"
	does "a policy under another name" lb -q policy load "$mine" name mine
	does "... as the default" lb -q policy set mine
	does "... with a parameter" lb policy param mine plus 3
	does "one that lies, by force" lb -q policy load "$build/tests/policies/favourite.bpf.o" force
	lb save >"$tmp/all"
	counts "save has the first, where it is" 1 \
		"^policy load \"$tmp/my policy.bpf.o\" name mine$" cat "$tmp/all"
	counts "... and the other" 1 '^policy load /.*/favourite.bpf.o force$' cat "$tmp/all"
	counts "... none that is shipped" 3 '^policy load ' cat "$tmp/all"
	program=$(lb -j policy show mine | jq '.policies[0].program')
	does "apply of save" lb -q apply "$tmp/all"
	saved "... changes nothing" <"$tmp/all"
	test_is "$([ "$(lb -j policy show mine | jq '.policies[0].program')" = "$program" ]; echo $?)" \
		"... loads nothing anew"
	counts "... which a dry run says" 0 . lb apply "$tmp/all" dry-run

	echo >>"$mine"
	counts "a dry run says what was built anew" 1 "^policy load $mine$" lb apply "$tmp/all" dry-run
	does "... apply loads it" lb -q apply "$tmp/all"
	test_is "$([ "$(lb -j policy show mine | jq '.policies[0].program')" != "$program" ]; echo $?)" \
		"... anew"
	saved "... and all else is as it was" <"$tmp/all"

	lb -q clear
	counts "without an instance a dry run knows the policy" 1 "^policy load $mine$" \
		lb apply "$tmp/all" dry-run
	counts "... and what it may be told" 1 '^policy param mine plus default -> 3$' \
		lb apply "$tmp/all" dry-run
	does "apply makes all of it" lb -q apply "$tmp/all"
	saved "... as it was" <"$tmp/all"
}

bad_loads() {
	local slots

	slots=$(lb -j policy show | jq -c '[.policies[].policy]')
	refuses_file "^$tmp/file:2: .*no such policy" <<-EOF
		policy load $told name other
		policy set nobody
	EOF
	refuses_file "gate refuses policy 'forgetful'" <<-EOF
		policy load $told name other
		policy load $build/tests/policies/forgetful.bpf.o
		policy param other slot 3
	EOF
	refuses_file "^$tmp/file:1: .*No such file" <<<"policy load $tmp/none.bpf.o"
	refuses_file "^$tmp/file:1: .*not a BPF object" <<<"policy load $tmp/file"
	refuses_file "^$tmp/file:2: plus '10': not a number from 0 to 9" <<-EOF
		policy load $told name other
		policy param other plus 10
	EOF
	test_is "$([ "$(lb -j policy show | jq -c '[.policies[].policy]')" = "$slots" ]; echo $?)" \
		"none of these policies is left" "$(lb policy show)"
	echo "policy load $build/tests/policies/honest.bpf.o name mine" >"$tmp/file"
	refuses 1 "^$tmp/file:1: policy 'mine': is loaded already, from my policy.bpf.o; 'replace'" \
		--batch "$tmp/file"
	echo "policy load $build/tests/policies/honest.bpf.o name mine replace" >"$tmp/file"
	does "replace takes it" lb -q --batch "$tmp/file"
	does "apply brings the old one back" lb -q apply "$tmp/all"
	saved "... with its parameter" <"$tmp/all"
}

start
sets
shows
applies
lives
refusals
unloads
loads
bad_loads
finish
