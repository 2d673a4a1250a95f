#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_policy.sh - policies of one's own: begun from the template, built outside of the
# tree, shown, and unloaded.
#
# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

S=10.0.0.10:80/tcp
work=$tmp/work
mkdir "$work"

# begin NAME...: policy new in the folder $work.
begin() {
	(cd "$work" && exec "$lbctl" policy new "$@")
}

# refuses_name STATUS REGEX NAME...: nothing is written, either.
refuses_name() {
	local want=$1 regex=$2 status why='' before
	shift 2
	before=$(sum)
	begin "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ "$status" -eq "$want" ] || why+="exit status $status, not $want; "
	[ "$(wc -l <"$tmp/err")" -eq 1 ] || why+="not one line on stderr; "
	grep -qE -- "$regex" "$tmp/err" || why+="stderr does not match '$regex'; "
	[ "$before" = "$(sum)" ] || why+="files changed; "
	[ -z "$why" ]
	test_is $? "refuses: policy new $*" "$why
$(cat "$tmp/err")"
}

sum() {
	(cd "$work" && find . -type f -exec md5sum {} + | sort)
}

# ---- the template ------------------------------------------------------------------

new_writes() {
	prints "policy new says what to do next" "^lbctl: my-policy.bpf.c: written; 'make' .*load" \
		begin my-policy
	does "... and with -q nothing" begin -q another_one
	does "what it writes builds with make" make -s -C "$work"
	[ -s "$work/my-policy.bpf.o" ] && [ -s "$work/another_one.bpf.o" ]
	test_is $? "... all that is there"
	prints "... without a need to do it twice" "Nothing to be done" make -C "$work"
	does "it is written the same again" begin -q my-policy
	for name in int x a.b.c "$(printf 'n%.0s' {1..31})"; do
		does "'$name' is a name" begin -q "$name"
	done
	does "... and they build" make -s -C "$work"
}

new_refuses() {
	local word

	for word in '' 9lives ../x 'a b' -- "$(printf 'n%.0s' {1..32})" 'q"' 'ä'; do
		[ "$word" != -- ] || continue
		refuses_name 2 "^lbctl: policy '$word': a name is a letter" "$word"
	done
	refuses_name 2 "name is missing"
	refuses_name 2 "'more': one word too many" one more
	refuses_name 1 "policy 'default': means the default policy" default
	refuses_name 1 "policy 'round-robin': one of that name comes with lbctl" round-robin
	echo "// mine" >>"$work/my-policy.bpf.c"
	refuses_name 1 "^lbctl: my-policy.bpf.c: is there already" my-policy
	echo "# mine" >>"$work/Makefile"
	refuses_name 1 "^lbctl: Makefile: is there already, .* empty folder" fresh
	mkdir "$tmp/locked" && chmod 555 "$tmp/locked"
	(cd "$tmp/locked" && setpriv --bounding-set=-dac_override "$lbctl" policy new mine) \
		>"$tmp/said" 2>&1
	test_is $((!$?)) "refuses: policy new in a folder that may not be written"
	prints "... and says why" "^lbctl: mine.bpf.c: cannot be written: Permission" cat "$tmp/said"
}

# sdk_builds FLAG...: every shipped policy, copied out of the tree.
sdk_builds() {
	local source name out=$tmp/shipped

	mkdir -p "$out"
	for source in policies/*.bpf.c; do
		name=$(basename "$source")
		(cd "$out" && cp "$OLDPWD/$source" . &&
			clang -Wall -Wextra -Werror "$@" -c "$name" -o "${name%.c}.o") >"$tmp/out" 2>&1
		test_is $? "builds with one folder of headers: $name" "$(head -20 "$tmp/out")"
	done
}

# shellcheck disable=SC2317 # `does` calls it
# as_installed COMMAND...: with what was installed below $root in its place.  In a chroot
# there is no mount at / whose propagation could be changed.
as_installed() {
	local prefix propagation=private

	prefix=$(sed -n 's/^PREFIX := //p' config.mk)
	mountpoint -q / || propagation=unchanged
	# shellcheck disable=SC2016 # $0 and $@ are the inner shell's
	unshare --mount --propagation "$propagation" sh -c '
		at=$1 && mount --bind "$0$at" "$at" && shift || exit
		"$@"
		status=$?
		umount "$at" && exit "$status"' "$root" "$prefix" "$@"
}

installed() {
	local root=$tmp/root pc word

	does "make install" make -s install DESTDIR="$root"
	pc=$(find "$root" -name switchyard.pc)
	prints "the headers have a folder of their own" "^-I/.*/switchyard *$" \
		env PKG_CONFIG_PATH="${pc%/*}" pkg-config --cflags switchyard
	read -ra word < <(PKG_CONFIG_PATH=${pc%/*} pkg-config --variable=bpf_cflags switchyard)
	sdk_builds "${word[@]}" "-I$root$(sed -n 's/^includedir=//p' "$pc")/switchyard"
	mkdir "$tmp/there"
	does "lbctl as it is installed begins a policy, too" as_installed \
		env -C "$tmp/there" "$(sed -n 's/^PREFIX := //p' config.mk)/sbin/lbctl" -q policy new mine
	counts "... for the SDK that is installed" 0 "$build" cat "$tmp/there/Makefile"
	does "... which builds it" as_installed make -s -C "$tmp/there"
	does "make uninstall" make -s uninstall DESTDIR="$root"
	counts "... leaves no file" 0 . find "$root" -type f
}

# ---- in an instance ------------------------------------------------------------------

unload_refuses() {
	refuses 2 "name is missing" policy unload
	refuses 2 "'now': one word too many" policy unload hash now
	refuses 1 "policy 'hsah': no such policy.*did you mean 'hash'" policy unload hsah
	refuses 1 "policy 'round-robin': is the default" policy unload round-robin
	lb policy set my-policy service $S
	refuses 1 "policy 'my-policy': $S uses it; 'lbctl policy set NAME service $S'" \
		policy unload my-policy
	lb policy set hash service $S
	lb policy set weighted service $S
	refuses 1 "policy 'hash': finds lost flows of $S for 1[45]m[0-9]+s more; .*grace 0" \
		policy unload hash
	lb service add 10.0.0.10:53/udp forward fullnat persistence none policy match
	lb backend add 10.0.0.10:53/udp 10.0.0.2
	lb policy param match rule "len 9 backend 10.0.0.2" service 10.0.0.10:53/udp
	refuses 1 "policy 'match': 10.0.0.10:53/udp uses it" policy unload match
	lb policy set round-robin service 10.0.0.10:53/udp
	refuses 1 "policy 'match': 10.0.0.10:53/udp has rules for it" policy unload match
	lb service del 10.0.0.10:53/udp
}

shown() {
	prints "policy show has columns" \
		"^NAME +DEFAULT +SERVICES +TABLE +PROMISES +DECISIONS +COST +SINCE +GATE +FILE$" \
		lb policy show
	prints "... and a policy's file with its tag" \
		"^my-policy +0 +uniform +even,sticky +0 .* my-policy.bpf.o [0-9a-f]{6}$" lb policy show
	lb policy set my-policy service $S
	prints "its services are counted" "^my-policy +1 " lb policy show my-policy
	prints "... and named, with generations" \
		"^$S +generation [0-9]+, previous [0-9]+ \(round-robin\) for 1[45]m[0-9]+s more$" \
		lb policy show my-policy
	prints "policy show has them, too" "^$S +generation " lb policy show
	counts "another policy's has not" 0 "generation" lb policy show weighted
	is_json policies policy show
	is_json generations policy show my-policy
	prints "JSON has numbers" '"generation":[0-9]+,"previous":[0-9]+,"previous_policy":"round-robin"' \
		lb -j policy show my-policy
	refuses 1 "policy 'my-polizy': no such policy.*did you mean 'my-policy'" policy show my-polizy
}

unloads() {
	lb policy set round-robin service $S
	slot=$(lb -j policy show my-policy | jq '.policies[0].slot')
	does "policy unload" lb policy unload my-policy
	counts "it is gone" 0 my-policy lb policy show
	refuses 1 "policy 'my-policy': no such policy" policy set my-policy
	prints "its program is taken out" "Not found|null" \
		bpftool map lookup pinned "$pins/maps/lb_policies" key "$slot" 0 0 0
	does "it may be loaded again" lb -q policy load "$work/my-policy.bpf.o"
	prints "... in the slot that is free" "^$slot$" \
		jq '.policies[0].slot' <(lb -j policy show my-policy)
	does "... with a count of its own" [ "$(lb -j policy show my-policy |
		jq '.policies[0].decisions')" = 0 ]
	does "unload once more" lb policy unload my-policy
	does "a shipped one may go, too" lb policy unload weighted
	refuses 1 "policy 'my-policy': no such policy" policy unload my-policy
}

# put LINE...: another_one's code, from now on.
put() {
	printf '%s\n' '#include <lb_policy.bpf.h>' "$@" >"$work/another_one.bpf.c"
	make -s -C "$work"
}

gate_is_shown() {
	prints "what the gate found is shown" \
		"^my-policy +.* [0-9]+ ns .* passed +my-policy.bpf.o [0-9a-f]{6}$" lb policy show
	put 'LB_POLICY(liar, "another_one", LB_TABLE_UNIFORM, LB_PROMISE_EVEN, flow, table)' \
		'{ return 0; }'
	refuses 1 "another_one.bpf.o: the gate refuses .*even: share of slot" \
		policy load "$work/another_one.bpf.o" replace
	does "a lie is loaded by force" lb -q policy load "$work/another_one.bpf.o" replace force
	prints "... and shown as such" \
		"^another_one +.* FORCED +another_one.bpf.o [0-9a-f]{6}: even: share of slot" \
		lb policy show another_one
	prints "... in JSON, too" '"gate":"forced","broken_promise":"even: share' \
		lb -j policy show another_one
}

# shellcheck disable=SC2317 # `prints` calls it
# told: what another_one has to say of its number.
told() {
	lb policy param another_one | grep "^level "
}

tunables_are_shown() {
	put 'enum { LEVEL };' 'LB_TUNABLES({ "level", "a number", 1, 9, 4 });' \
		'LB_POLICY(tunable, "another_one", LB_TABLE_UNIFORM, LB_PROMISE_STICKY, flow, table)' \
		'{ return lb_tunable(flow, LEVEL) % table->n_slots; }'
	does "one with a number" lb -q policy load "$work/another_one.bpf.o" replace
	prints "it has the number" '^level +4 .* 1' told
	does "it is set" lb policy param another_one level 7
	prints "... and shown" '^level +7 ' told
	is_json policies policy show another_one
	does "unload" lb policy unload another_one
	does "load again" lb -q policy load "$work/another_one.bpf.o"
	prints "what was set is forgotten" '^level +4 ' told
}

# ---- all of it -------------------------------------------------------------------------

new_writes
new_refuses
installed
does "attach" lb -q chain attach v0 mode skb flows 1024
does "load" lb -q policy load "$work/another_one.bpf.o"
sed -i '$d' "$work/my-policy.bpf.c"
make -s -C "$work"
does "load" lb -q policy load "$work/my-policy.bpf.o"
does "a service" lb service add $S forward fullnat
does "its backend" lb backend add $S 10.0.0.2:8000
shown
gate_is_shown
tunables_are_shown
unload_refuses
unloads
finish
