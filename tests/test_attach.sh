#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_attach.sh - what attaching leaves on an interface and in the host, beside whom, and
# what is there when lbctl was killed on the way.
set -u

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

KILLS=15

# forwarding: both switches of lo.
forwarding() {
	in_ns sysctl -n net.ipv4.conf.lo.forwarding net.ipv6.conf.lo.forwarding | tr '\n' ' '
}

# resolves DEV: how many lb_resolve are on its tc ingress.
resolves() {
	in_ns tc filter show dev "$1" ingress | grep -c 'name lb_resolve'
}

# locals DEV: how many lb_local are on its tc egress.
locals() {
	in_ns tc filter show dev "$1" egress | grep -c 'name lb_local'
}

# entries DEV: how many XDP programs.
entries() {
	in_ns ip link show "$1" | grep -c 'prog/xdp'
}

# state_of DEV: all of it as a line.
state_of() {
	echo "xdp $(entries "$1"), tc $(resolves "$1") $(locals "$1"), clsact $(in_ns tc qdisc show dev "$1" |
		grep -c clsact), forwarding $(forwarding)"
}

# is NAME WANTED GOT
is() {
	[ "$2" = "$3" ]
	test_is $? "$1" "wanted: $2
got:    $3"
}

attaches_and_detaches() {
	local mode

	for mode in native skb; do
		lb -q chain attach v0 mode $mode
		is "$mode: attached" "xdp 1, tc 1 1, clsact 1, forwarding 1 1 " "$(state_of v0)"
		lb -q chain attach v0 mode $mode
		is "$mode: once more changes nothing" \
			"xdp 1, tc 1 1, clsact 1, forwarding 1 1 " "$(state_of v0)"
		refuses 1 "attached in $mode mode" chain attach v0 mode \
			"$([ $mode = skb ] && echo native || echo skb)"
		lb -q chain attach v1 mode $mode
		lb -q chain detach v0
		is "$mode: detached from one of two" "xdp 0, tc 0 0, clsact 0, forwarding 1 1 " \
			"$(state_of v0)"
		lb -q chain detach v1
		is "$mode: detached from the last" "xdp 0, tc 0 0, clsact 0, forwarding 0 0 " \
			"$(state_of v1)"
	done
}

keeps_what_was() {
	in_ns sysctl -qw net.ipv4.conf.lo.forwarding=1
	lb -q chain attach v0
	lb -q chain detach v0
	is "forwarding that was on stays on" "1 0 " "$(forwarding)"
	in_ns sysctl -qw net.ipv4.conf.lo.forwarding=0

	in_ns tc qdisc add dev v0 clsact
	in_ns tc filter add dev v0 egress bpf da obj "$build/progs/lb_resolve.bpf.o" sec tc
	lb -q chain attach v0
	lb -q chain detach v0
	is "others' clsact stays" 1 "$(in_ns tc qdisc show dev v0 | grep -c clsact)"
	is "others' filter stays" 1 "$(in_ns tc filter show dev v0 egress |
		grep -c 'name lb_resolve')"
	in_ns tc qdisc del dev v0 clsact
}

leaves_others_alone() {
	in_ns ip link set v1 xdp obj "$build/tests/net/pass.bpf.o" sec xdp
	refuses 1 "v1: .*XDP program 'pass'.* without" chain attach v1
	is "a refused attach leaves nothing" "xdp 1, tc 0 0, clsact 0, forwarding 0 0 " \
		"$(state_of v1)"
	in_ns ip link set v1 xdp off

	refuses 1 "lo: cannot attach in native mode: .*; try 'mode skb'" chain attach lo
	is "... and nothing is left" "xdp 0, tc 0 0, clsact 0, forwarding 0 0 " \
		"$(state_of lo)"
}

# Its frames are Ethernet's, and what its sockets answer passes XDP too.
attaches_to_loopback() {
	does "lo: attached" lb -q chain attach lo mode skb
	is "lo: no lb_local there" "xdp 1, tc 1 0, clsact 1, forwarding 1 1 " \
		"$(state_of lo)"
	does "lo: once more" lb -q chain attach lo mode skb
	prints "lo: the doctor does not mind its mode" 'ok +mode +lo ' lb doctor lo
	does "lo: packets still pass" in_ns ping -c 1 -W 2 127.0.0.1
	does "lo: detached" lb -q chain detach lo
	is "lo: nothing is left" "xdp 0, tc 0 0, clsact 0, forwarding 0 0 " "$(state_of lo)"
}

an_interface_goes() {
	lb -q chain attach v0
	lb -q chain attach v2
	in_ns ip link del v2
	does "one that is gone is detached" lb chain detach v2
	is "the other one is not" "xdp 1, tc 1 1, clsact 1, forwarding 1 1 " "$(state_of v0)"
	lb -q chain detach v0
}

# Everybody who is told of it is told the name that it has now.
an_interface_is_renamed() {
	lb -q chain attach v0
	in_ns ip link set v0 down
	prints "one that is down is a problem" '^! v0  the interface is down' lb
	in_ns ip link set v0 name w0
	in_ns ip link set w0 up
	is "down, renamed and up again: all is still there" \
		"xdp 1, tc 1 1, clsact 1, forwarding 1 1 " "$(state_of w0)"
	prints "the screen has the new name" '^w0 +native' lb
	counts "... and not the old one" 0 '^v0 ' lb
	saved "'save' has the new name" <<-EOF
		chain attach w0
	EOF
	prints "'chain show' has it" '^w0 .* lb_entry \*' lb chain show
	does "attached again it is no other one" lb -q chain attach w0
	is "... and nothing is there twice" "xdp 1, tc 1 1, clsact 1, forwarding 1 1 " \
		"$(state_of w0)"
	does "it is detached by its new name" lb chain detach w0
	is "... and nothing is left" "xdp 0, tc 0 0, clsact 0, forwarding 0 0 " "$(state_of w0)"
	in_ns ip link set w0 name v0
}

an_interface_comes_anew() {
	lb -q chain attach v2
	in_ns ip link del v2
	in_ns ip link add v2 type veth peer name p2
	in_ns ip link set v2 up
	prints "one that was made anew has no chain, which is a problem" \
		"^! v2  the interface was deleted and made anew" lb
	does "it is attached to the new one" lb -q chain attach v2
	is "... all of it" "xdp 1, tc 1 1, clsact 1, forwarding 1 1 " "$(state_of v2)"
	counts "... and there is one" 1 '^v2 ' lb
	lb -q chain detach v2
}

# dies MS WORD...: lbctl, killed after at most so many ms; true if it died.
dies() {
	local ms=$1 pid
	shift
	nsenter --net="/run/netns/$ns" "$lbctl" -q --pin-dir "$pins" "$@" >/dev/null 2>&1 &
	pid=$!
	sleep "0.$(printf %03d $((RANDOM % ms)))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ $? -eq 137 ]
}

killed_on_the_way() {
	local i died=0 bad=0

	for ((i = 0; i < KILLS; i++)); do
		dies 400 chain attach v0 && died=$((died + 1))
		lb -q chain attach v0 2>>"$tmp/bad"
		is_now "xdp 1, tc 1 1, clsact 1, forwarding 1 1 "
		dies 60 chain detach v0 && died=$((died + 1))
		lb -q chain detach all 2>>"$tmp/bad"
		is_now "xdp 0, tc 0 0, clsact 0, forwarding 0 0 "
		[ $((i % 3)) -ne 0 ] || lb -q clear 2>>"$tmp/bad"
	done
	test_is $((bad > 0)) "killed on the way, the next one completes it" "$(cat "$tmp/bad")"
	test_is $((died < KILLS / 3)) "... and $died of $((2 * KILLS)) did die" ""
}

is_now() {
	local got
	got=$(state_of v0)
	[ "$got" != "$1" ] || return 0
	bad=$((bad + 1))
	echo "wanted: $1, got: $got" >>"$tmp/bad"
}

in_ns ip link set lo up
in_ns sysctl -qw net.ipv4.conf.lo.forwarding=0 net.ipv6.conf.lo.forwarding=0
leaves_others_alone
attaches_and_detaches
keeps_what_was
attaches_to_loopback
an_interface_comes_anew
an_interface_goes
an_interface_is_renamed
killed_on_the_way
finish
