# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# guest_lab.sh - hosts on one switch, and the words that the guest's tests are made of.
#
# client 10.0.0.1, backends 10.0.0.2 and .3, balancer 10.0.0.10 (IPv6: fd00:: and the same
# number), each a namespace with one interface eth0. To be sourced in a guest of vm.sh
# only: nothing is ever torn down, because the machine is gone with the test.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD:-$here/../../build}
failed=0

# check NAME COMMAND...: one test. What the command says is shown if it fails, but
# comments always.
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "ok - $name"
		grep '^# ' <<<"$said"
		return
	fi
	failed=$((failed + 1))
	echo "not ok - $name"
	echo "# $*"
	printf '%s\n' "$said" | tail -n 30 | sed 's/^/# /'
}

on() {
	local host=$1
	shift
	nsenter --net="/run/netns/$host" "$@"
}

host() {
	local name=$1 number=$2
	ip netns add "$name"
	ip link add eth0 netns "$name" type veth peer name "$name" netns switch
	ip -n "$name" link set lo up
	ip -n "$name" addr add "10.0.0.$number/24" dev eth0
	ip -n "$name" addr add "fd00::$number/64" dev eth0 nodad
	ip -n "$name" link set eth0 up
	ip -n switch link set "$name" master br0 up
	# A packet sent on in XDP keeps no promise of a checksum to be computed later, and
	# a veth takes such packets only if its NAPI runs: with GRO, or an XDP program.
	on "$name" ethtool -K eth0 tx off txvlan off rxvlan off >/dev/null
	on switch ethtool -K "$name" gro on >/dev/null
}

lab_up() {
	ip netns add switch
	ip -n switch link add br0 type bridge
	ip -n switch link set br0 up
	host client 1
	host b2 2
	host b3 3
	host lb 10
	on b2 "$here/guest_server.py" b2 8080 &
	on b3 "$here/guest_server.py" b3 8080 &
	on lb "$here/guest_server.py" lb 7000 &
	lab_wait b2 8080
	lab_wait b3 8080
	lab_wait lb 7000
}

# Until the server listens: emulated Python takes its time.
lab_wait() {
	local _
	for _ in {1..100}; do
		[ -z "$(on "$1" ss -Htln "sport = :$2")" ] || return 0
		sleep 0.1
	done
	echo "# no server at $1:$2"
}

lbctl() {
	on lb "$build/lbctl" "$@"
}

# reach URL: the client gets an answer, which is printed.
reach() {
	on client curl -gsS --connect-timeout 3 -m 6 "$@"
}
