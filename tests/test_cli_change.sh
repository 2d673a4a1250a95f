#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_change.sh - what lbctl changes: single commands, batches and whole files; two
# writers at once; kill -9 at any moment.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

start() {
	cat >"$tmp/start" <<-EOF
		chain attach v0
		policy set hash
		service add 10.0.0.10:80/tcp
		backend add 10.0.0.10:80/tcp 10.0.0.2:8080 weight 2
		backend add 10.0.0.10:80/tcp 10.0.0.3:8080
	EOF
	does "apply makes all of it, as at boot" lb -q apply "$tmp/start"
}

# ---- what changes do -----------------------------------------------------------

changes() {
	does "set changes what is said" lb service set 10.0.0.10:80/tcp ports 2000-3000 \
		timeout-idle 90 comment "two words"
	does "an own policy" lb policy set weighted service 10.0.0.10:80/tcp
	prints "who keeps their own policy is said" \
		'1 service keeps its own policy: 10\.0\.0\.10:80/tcp' lb policy set round-robin
	does "backend set" lb backend set 10.0.0.10:80/tcp 10.0.0.3:8080 weight 0
	does "backend drain" lb backend drain 10.0.0.10:80/tcp 10.0.0.2:8080
	saved "save has all of it" <<-EOF
		chain attach v0
		service add 10.0.0.10:80/tcp forward fullnat policy weighted ports 2000-3000 timeout-idle 90s comment "two words"
		backend add 10.0.0.10:80/tcp 10.0.0.2:8080 weight 2 state drain
		backend add 10.0.0.10:80/tcp 10.0.0.3:8080 weight 0
	EOF
	lb save >"$tmp/lb.conf"
	does "replace puts back what is not said" lb service replace 10.0.0.10:80/tcp
	prints "... and keeps the backends" '0 of 2 usable' lb service show
	prints "what keeps the active one from use is its weight" \
		'^! .*no backend is active with a weight.*weight N' lb
	does "apply brings the old state back" lb apply "$tmp/lb.conf"
	saved "... all of it" <"$tmp/lb.conf"

	does "IPv6" lb service add '[2001:db8::10]:53/udp' timeout-idle 5s
	does "a backend without port" lb backend add '[2001:db8::10]:53/udp' 2001:db8::2
	does "a backend in all services" lb backend add all 10.0.0.9 weight 7
	counts "... of its family" 1 '10\.0\.0\.9:80 weight 7' lb save
	does "wait ends when there is no flow" \
		timeout 5 nsenter --net="/run/netns/$ns" "$lbctl" --pin-dir "$pins" \
		backend del all 10.0.0.9 wait 30s
	does "list and delete" lb service delete '[2001:db8::10]:53/udp'
	saved "nothing is left of it" <"$tmp/lb.conf"

	does "a batch changes" lb --batch - <<-EOF
		# a comment
		service add 10.0.0.11:80/tcp
		lbctl backend add 10.0.0.11:80/tcp 10.0.0.2

		policy set hash
	EOF
	prints "... and does not remove" '2 of|0 of 2 usable' lb service show 10.0.0.10:80/tcp
	prints "a dry run says what would change" '^service del 10\.0\.0\.11:80/tcp$' \
		lb apply "$tmp/lb.conf" dry-run
	prints "... and changes nothing" '10\.0\.0\.11:80/tcp' lb save
	does "apply removes" lb apply - <"$tmp/lb.conf"
	saved "... what is not in the file" <"$tmp/lb.conf"
	prints "an unknown service in stats" 'no such service' lb stats 10.0.0.99:1/tcp
}

chains() {
	prints "a second interface" 'ALONE|^$' lb chain attach v1 mode skb priority 70
	prints "is saved" '^chain attach v1 mode skb priority 70$' lb save
	does "a file with chain lines" lb -q apply "$tmp/lb.conf"
	saved "... detaches what it does not name" <"$tmp/lb.conf"
	grep -v '^chain' "$tmp/lb.conf" >"$tmp/no-chain"
	does "a file without chain lines" lb apply "$tmp/no-chain"
	saved "... leaves interfaces as they are" <"$tmp/lb.conf"
	does "detach and attach in one batch" lb -q --batch - <<-EOF
		chain detach v0
		chain attach v0
	EOF
	saved "... leave it attached" <"$tmp/lb.conf"
	lb -q chain attach v1
	does "detach all and attach in one batch" lb -q --batch - <<-EOF
		chain detach all
		chain attach v0
	EOF
	saved "... leave that one" <"$tmp/lb.conf"
	lb -q chain attach v2
	in_ns ip link set v2 down
	prints "an interface that is down is a problem" '^! v2  the interface is down' lb
	in_ns ip link del v2
	in_ns ip link add v2 type veth peer name p2
	prints "an interface that was deleted is a problem" '^! v2  the interface was deleted' lb
	does "it can be detached, though there is another of its name" lb chain detach v2
	saved "... and is forgotten" <"$tmp/lb.conf"
	does "detach" lb chain detach v0
	in_ns ip link show v0 | grep -q xdp
	test_is $((! $?)) "no XDP program is left"
	prints "services stay without interfaces" '10\.0\.0\.10:80/tcp' lb save
	prints "... which is a problem" '^! chain .*no interface' lb
	does "apply attaches again" lb -q apply "$tmp/lb.conf"
	saved "and all is as it was" <"$tmp/lb.conf"
	does "clear" lb clear
	[ ! -e "$pins" ]
	test_is $? "no pin is left" "$(ls "$pins" 2>/dev/null)"
	does "apply makes the instance, as at boot" lb -q apply "$tmp/lb.conf"
	saved "the same one" <"$tmp/lb.conf"
}

instances() {
	lb -q chain detach all
	prints "who detaches last puts forwarding back" '^0$' \
		in_ns sysctl -n net.ipv4.conf.lo.forwarding
	in_ns "$lbctl" -q --pin-dir "$pins-2" chain attach v1
	does "another instance on another interface" lb -q apply "$tmp/lb.conf"
	does "goes" in_ns "$lbctl" --pin-dir "$pins-2" clear
	prints "... and leaves forwarding as this one needs it" '^1$' \
		in_ns sysctl -n net.ipv4.conf.lo.forwarding
}

# ---- several at once, and sudden death -----------------------------------------

writers() {
	local i pids=() status=0

	for i in 1 2 3 4 5 6 7 8; do
		lb -w 30s service add "10.0.1.$i:80/tcp" 2>>"$tmp/writers" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	test_is $status "eight writers at once all succeed" "$(cat "$tmp/writers")"
	counts "and none is lost" 8 '^service add 10\.0\.1\.' lb save

	flock "$pins" sleep 20 &
	i=$!
	sleep 0.3
	lb -w 200ms service add 10.0.2.1:80/tcp >"$tmp/out" 2>"$tmp/err"
	[ $? -eq 1 ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] && grep -q "pid" "$tmp/err"
	test_is $? "a locked instance is said, with the holder's pid" "$(cat "$tmp/err")"
	prints "readers do not wait" '^service add 10.0.1.1:80/tcp' lb -w 100ms save
	pkill -P "$i"
	kill "$i" 2>/dev/null
	wait "$i" 2>/dev/null
	does "the lock ends with its holder" lb service add 10.0.2.1:80/tcp
	does "(all back)" lb apply "$tmp/lb.conf"

	lb clear
	pids=() status=0
	for i in 1 2 3 4; do
		lb -q -w 30s apply "$tmp/lb.conf" 2>>"$tmp/makers" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	test_is $status "four that make the instance at once all succeed" "$(cat "$tmp/makers")"
	saved "and make it once" <"$tmp/lb.conf"
}

# kill_one FILE: apply it, and kill lbctl some time before it would be done.
kill_one() {
	local pid us=$((RANDOM * took_us / 32768))

	lb -q apply "$1" >/dev/null 2>&1 &
	pid=$!
	sleep "$((us / 1000000)).$(printf %06d $((us % 1000000)))"
	pkill -9 -P "$pid"	# $pid is a shell, its child is lbctl
	wait "$pid" 2>/dev/null || killed=$((killed + 1))
}

storm() {
	local i bad=0 killed=0 took_us

	python3 -c '
print("chain attach v0\npolicy set hash")
for i in range(60):
    print(f"service add 10.3.0.{i + 1}:80/tcp forward fullnat policy weighted")
    for j in range(5):
        print(f"backend add 10.3.0.{i + 1}:80/tcp 10.4.{i}.{j + 1}:80 weight {j + 2}")' \
		>"$tmp/large"
	took_us=$(date +%s%6N)
	lb -q apply "$tmp/large"
	took_us=$(($(date +%s%6N) - took_us))
	lb -q apply "$tmp/lb.conf"

	for i in {1..40}; do
		kill_one "$tmp/large"
		lb save >/dev/null 2>"$tmp/err" || bad=$((bad + 1))
		kill_one "$tmp/lb.conf"
		lb -j >/dev/null 2>>"$tmp/err" || bad=$((bad + 1))
	done 2>/dev/null
	test_is $bad "after each of 80 sudden deaths the state can be read" "$(cat "$tmp/err")"
	test_is $((killed < 20)) "(and $killed of them were sudden)"
	does "and the next change completes" lb -q apply "$tmp/large"
	sort "$tmp/large" >"$tmp/want"
	lb save | sort | diff "$tmp/want" - >"$tmp/diff"
	test_is $? "exactly" "$(head -20 "$tmp/diff")"
	counts "all services are there" 60 '5 of 5 usable' lb service show
	does "and back" lb -q apply "$tmp/lb.conf"
	saved "exactly so" <"$tmp/lb.conf"
}

start
changes
chains
instances

# Seen from elsewhere, the interfaces of an instance look gone.
elsewhere() {
	lb -q apply "$tmp/lb.conf"
	lb save >"$tmp/before"
	prints "another network namespace cannot clear it" 'in another network namespace' \
		unshare -n "$lbctl" --pin-dir "$pins" clear
	prints "... nor detach it" 'in another network namespace' \
		unshare -n "$lbctl" --pin-dir "$pins" chain detach all
	prints "... and is told so when it looks" 'in another network namespace' \
		unshare -n "$lbctl" --pin-dir "$pins" service show
	lb save >"$tmp/after"
	does "... and nothing changed" cmp "$tmp/before" "$tmp/after"
}
elsewhere
writers
storm
finish
