#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_modes.sh - every forward mode, shape of service and setting: said, saved, shown,
# applied, compared; and what lbctl refuses of them, changing nothing.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

start() {
	in_ns ip link set lo up
	in_ns ip addr add 2001:db8:1::10/64 dev v0 nodad
	cat >"$tmp/all" <<-EOF
		chain attach v0
		service add 10.0.0.10/icmp forward fullnat timeout-idle 9s
		backend add 10.0.0.10/icmp 10.0.0.2
		service add 10.0.0.10:53/udp forward nat persistence none on-empty drop
		backend add 10.0.0.10:53/udp 10.0.0.2:5353
		service add 10.0.0.10:80/tcp forward fullnat ports 2000-3000 on-empty pass mss 1400 timeout-closed 9s comment "two words"
		backend add 10.0.0.10:80/tcp 10.0.0.2:8080
		service add 10.0.0.10:8000-8010/udp forward nat
		backend add 10.0.0.10:8000-8010/udp 10.0.0.2
		service add 10.0.0.11:any/tcp forward fullnat icmp-reply on
		backend add 10.0.0.11:any/tcp 10.0.0.2:80
		backend add 10.0.0.11:any/tcp 10.0.0.3
		service add 10.0.0.12:80/tcp forward dsr persistence none
		backend add 10.0.0.12:80/tcp 10.0.0.2:80
		service add 10.0.0.16/28:443/tcp forward ipip src 10.0.0.192/28,2001:db8:1::/64
		backend add 10.0.0.16/28:443/tcp 10.0.0.2:443
		backend add 10.0.0.16/28:443/tcp [2001:db8:1::2]:443
		service add 127.0.0.1:9875/udp forward local persistence none
		backend add 127.0.0.1:9875/udp 127.0.0.1:9876
		service add [2001:db8:1::11]/icmp forward dsr
		backend add [2001:db8:1::11]/icmp [2001:db8:1::2]
		service add [2001:db8:1::11]:80-90/tcp forward gue src 2001:db8:1::10
		backend add [2001:db8:1::11]:80-90/tcp [2001:db8:1::2]
		service add [2001:db8:2::]/64:any/udp forward gue
		backend add [2001:db8:2::]/64:any/udp [2001:db8:1::2]
	EOF
}

round_trip() {
	does "apply of every mode" lb -q apply "$tmp/all"
	saved "save says the same" <"$tmp/all"
	counts "a dry run of it finds no difference" 0 . lb apply "$tmp/all" dry-run
	does "clear" lb clear
	does "and from nothing" lb -q --batch "$tmp/all"
	saved "the same" <"$tmp/all"
	is_json services service show
	is_json problems
}

# shown SERVICE KEY VALUE: this is in its JSON.
shown() {
	lb -j service show "$1" >"$tmp/json" 2>&1
	python3 -c '
import json, sys
row = json.load(open(sys.argv[1]))["services"][0]
assert row[sys.argv[2]] == json.loads(sys.argv[3]), row[sys.argv[2]]' \
		"$tmp/json" "$2" "$3" 2>"$tmp/err"
	test_is $? "JSON of $1 has $2: $3" "$(tail -1 "$tmp/err")"
}

json() {
	shown 10.0.0.16/28:443/tcp address '"10.0.0.16"'
	shown 10.0.0.16/28:443/tcp prefix 28
	shown 10.0.0.16/28:443/tcp src '["10.0.0.192/28", "2001:db8:1::/64"]'
	shown 10.0.0.16/28:443/tcp forward '"ipip"'
	shown 10.0.0.16/28:443/tcp icmp_reply false
	shown 10.0.0.10:8000-8010/udp port 8000
	shown 10.0.0.10:8000-8010/udp port_last 8010
	shown 10.0.0.10:8000-8010/udp src '[]'
	shown 10.0.0.10:8000-8010/udp mss null
	shown '10.0.0.11:*/tcp' port 0
	shown 10.0.0.11:any/tcp port_last 65535
	shown 10.0.0.11:any/tcp icmp_reply true
	shown 10.0.0.10/icmp port null
	shown 10.0.0.10/icmp protocol '"icmp"'
	shown '[2001:db8:1::11]/icmp' prefix 128
	shown 10.0.0.10:53/udp persistence '"none"'
	shown 10.0.0.10:53/udp on_empty '"drop"'
	shown 10.0.0.10:80/tcp persistence '"flow"'
	shown 10.0.0.10:80/tcp mss 1400
	shown 10.0.0.10:80/tcp on_empty '"pass"'
	prints "the table has the mode" '^10\.0\.0\.16/28:443/tcp +ipip ' lb service show
	prints "a backend that keeps the port has none" \
		'^10\.0\.0\.11:any/tcp +10\.0\.0\.3 ' lb backend show
	prints "flows by such a service" '^0$' lb flow count service 10.0.0.10:8000-8010/udp
	prints "its counters" '^10\.0\.0\.16/28:443/tcp' lb stats 10.0.0.16/28:443/tcp
}

changes() {
	does "what may change, does" lb service set 10.0.0.16/28:443/tcp src off \
		on-empty drop comment x
	does "mss" lb service set 10.0.0.10:80/tcp mss off on-empty reject
	does "icmp-reply" lb service set 10.0.0.11:any/tcp icmp-reply off
	prints "saved" '^service add 10\.0\.0\.16/28:443/tcp forward ipip on-empty drop comment x$' \
		lb save
	prints "src off" '^service add 10\.0\.0\.10:80/tcp forward fullnat ports 2000-3000 timeout' \
		lb save
	prints "a dry run has old and new" \
		'set 10\.0\.0\.16/28:443/tcp src off -> 10\.0\.0\.192/28,2001:db8:1::/64 on-empty drop -> reject' \
		lb apply "$tmp/all" dry-run
	does "apply brings it back" lb apply "$tmp/all"
	saved "all of it" <"$tmp/all"
	does "a service of the same address" lb service add 10.0.0.16/28:any/tcp
	does "a backend in all services" lb backend add all 10.0.0.9
	prints "... takes the port that each needs" \
		'^backend add 10\.0\.0\.16/28:443/tcp 10\.0\.0\.9:443$' lb save
	prints "... or none" '^backend add 10\.0\.0\.16/28:any/tcp 10\.0\.0\.9$' lb save
	does "and goes from all" lb backend del all 10.0.0.9
	does "a wide one goes alone" lb service del 10.0.0.16/28:any/tcp
	saved "as it was" <"$tmp/all"
	does "del and add changes the mode" lb --batch - <<-EOF
		service del 10.0.0.12:80/tcp
		service add 10.0.0.12:80/tcp forward nat
	EOF
	prints "it has" '^service add 10\.0\.0\.12:80/tcp forward nat$' lb save
	refuses 1 "forward cannot change from nat to dsr while it is there" apply "$tmp/all"
	does "(del)" lb service del 10.0.0.12:80/tcp
	does "then it is made anew" lb apply "$tmp/all"
	saved "as it was before" <"$tmp/all"
}

# What becomes of clients then is for on-empty to say.
empty() {
	does "a service without a backend" lb service add 10.0.0.13:80/tcp
	prints "rejects" '^! 10\.0\.0\.13:80/tcp .*it has no backend: new flows are rejected' lb
	does "on-empty drop" lb service set 10.0.0.13:80/tcp on-empty drop
	prints "drops" '^! 10\.0\.0\.13:80/tcp .*it has no backend: new flows are dropped' lb
	does "on-empty pass" lb service set 10.0.0.13:80/tcp on-empty pass
	prints "passes" "^! 10\\.0\\.0\\.13:80/tcp .*new flows are left to this host's own" lb
	prints "the doctor says so, too" "^warn .* 10\\.0\\.0\\.13:80/tcp .* left to this host" lb doctor
	does "(del)" lb service del 10.0.0.13:80/tcp
}

# What goes with what is tested in full by test_settings.
bad() {
	refuses 1 "forward cannot change from dsr to ipip while it is there; 'service del'" \
		service set 10.0.0.12:80/tcp forward ipip
	refuses 1 "forward cannot change from dsr to fullnat" service replace 10.0.0.12:80/tcp
	refuses 1 "persistence cannot change from none to flow" \
		service set 10.0.0.10:53/udp persistence flow
	refuses 1 "in fullnat a TCP connection" service add 10.0.0.13:80/tcp persistence none
	refuses 1 "in dsr the port stays" backend add 10.0.0.12:80/tcp 10.0.0.3:8080
	refuses 1 "has several ports" backend add 10.0.0.10:8000-8010/udp 10.0.0.3:53
	refuses 1 "icmp has no ports" backend add 10.0.0.10/icmp 10.0.0.3:53
	refuses 1 "which nat needs" backend add 10.0.0.10:53/udp 2001:db8:1::2
	refuses 1 "is IPv6 only; add one of IPv4" \
		backend add '[2001:db8:1::11]:80-90/tcp' 10.0.0.2
	refuses 1 "the service itself" backend add 10.0.0.12:80/tcp 10.0.0.12
	refuses 1 "mss 535: not from 536" service set 10.0.0.10:80/tcp mss 535
	refuses 1 "ip route .* advmss 1400" service set 10.0.0.12:80/tcp mss 1400
	refuses 1 "no outer header" service set 10.0.0.12:80/tcp src 10.0.0.1
	refuses 2 "two of IPv4" service set 10.0.0.16/28:443/tcp src 10.0.0.1,10.0.0.2
	refuses 1 "this host answers pings" service add 10.0.0.13/icmp forward local
	refuses 1 "pings of its address are 10.0.0.11:any/tcp's already" \
		service add 10.0.0.11/icmp
	refuses 1 "10.0.0.11:any/tcp' is there already" service add '10.0.0.11:*/tcp'
	refuses_file "^$tmp/file:2: backend '10.0.0.2:81': in gue the port stays" <<-EOF
		service add 10.0.0.14:80/tcp forward gue
		backend add 10.0.0.14:80/tcp 10.0.0.2:81
	EOF
	# The kernel's choice, which the backend would take for its own packets.
	refuses_file "come from the address of .2001:db8:1::10.:80/tcp, which the backend" <<-EOF
		service add [2001:db8:1::10]:80/tcp forward dsr
		backend add [2001:db8:1::10]:80/tcp [2001:db8:1::3]
		service add [2001:db8:3::1]:80/tcp forward ipip
		backend add [2001:db8:3::1]:80/tcp [2001:db8:1::3]
	EOF
}

start
round_trip
json
changes
empty
bad
finish
