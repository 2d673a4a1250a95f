#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_devices.sh - ways out by interfaces that stand on one with the chain, and what lbctl
# says of backends that packets cannot get to.
#
# VLAN devices are in tests/vm/guest_devices.sh: not every kernel has them.
set -u

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

service=10.0.0.10:80/tcp

# problem REGEX: there is such a line; complains: one of a backend.
problem() {
	prints "$1" "^! .*$2" lb
}

no_problem() {
	counts "$1" 0 '^! .* 10\.[0-9.]+:' lb
}

# way NAME REGEX: `chain show` has such a way out.
way() {
	prints "$1" "^$2$" lb chain show
	is_json ways chain show
}

bridges() {
	in_ns ip addr flush dev v0
	in_ns ip link add br0 type bridge
	in_ns ip link set v0 master br0
	in_ns ip link set br0 up
	in_ns ip addr add 10.0.0.10/24 dev br0

	lb -q chain attach v0 mode skb
	way "a bridge is a way out by its port" "br0 leaves by v0"
	lb -q service add $service
	lb -q backend add $service 10.0.0.2:8080
	no_problem "... and a backend there is no problem"
	counts "... nor is the bridge one that has the chain" 1 '^chain attach' lb save

	in_ns ip link set v1 master br0
	lb -q backend set $service 10.0.0.2:8080 weight 2
	way "a port without the chain does not matter" "br0 leaves by v0"
	prints "... but who is behind it is not reached" \
		'warn +bridge +10.0.0.2 .*br0 has several ports' lb doctor
	lb -q chain attach v1 mode skb
	counts "with two ports it is none" 0 '^br0 leaves' lb chain show
	problem "... and that is said" '10.0.0.2:8080 .*br0, a bridge that has the chain on several'
	prints "... by the doctor, too" 'fail +route +10.0.0.2 .*br0, a bridge' lb doctor
	lb -q chain detach v1
	way "with one again it is one" "br0 leaves by v0"
}

unknown() {
	in_ns ip link del br0
	in_ns ip link add br1 type bridge
	in_ns ip link set v0 master br1
	in_ns ip link set br1 up
	in_ns ip addr add 10.0.0.10/24 dev br1
	problem "one that came later is told from others" \
		"br1, which came after .*'lbctl chain attach'"
	lb -q chain attach v0 mode skb
	way "... and found by attaching again" "br1 leaves by v0"
	counts "one that is gone is forgotten" 0 '^br0 leaves' lb chain show
	no_problem "then all is well"
	lb -q chain detach v0
	counts "without the chain there is no way" 0 ' leaves by ' lb chain show
	does "... and nothing is in the way of clearing" lb -q clear
	in_ns ip link del br1
	in_ns ip addr add 10.0.0.10/24 dev v0
	in_ns ip link set v0 up
}

takes_the_place_of_a_way() {
	in_ns ip link add br2 type bridge
	in_ns ip link set v2 master br2
	in_ns ip link set br2 up
	lb -q chain attach v2 mode skb
	way "a bridge that is a way" "br2 leaves by v2"
	does "... can have the chain itself" lb -q chain attach br2 mode skb
	counts "... and is then one of those" 2 '^chain attach' lb save
	lb -q chain detach br2
	way "... and afterwards a way again" "br2 leaves by v2"
	lb -q clear
	in_ns ip link del br2
}

faults() {
	in_ns ip link set v1 up
	in_ns ip addr add 10.1.0.1/24 dev v1
	in_ns ip route add 10.9.0.0/24 via 10.0.0.254
	lb -q chain attach v0 mode skb

	lb -q service add $service forward dsr
	lb -q backend add $service 10.0.0.2
	no_problem "dsr to a neighbour is no problem"
	lb -q backend add $service 10.9.0.2
	problem "dsr past a gateway is" '10.9.0.2:80 .*behind the gateway 10.0.0.254'
	lb -q backend set $service 10.9.0.2 state down
	no_problem "... but not while it is down"
	lb -q service del $service

	lb -q service add $service
	lb -q backend add $service 10.1.0.2
	problem "an interface without the chain" '10.1.0.2:80 .*leaves by v1, where the chain is not'
	lb -q service del $service

	lb -q service add $service forward local
	lb -q backend add $service 127.0.0.1:8080
	no_problem "local to an address of this host"
	lb -q backend add $service 10.0.0.3:8080
	problem "local to another host" '10.0.0.3:8080 .*no address of this host'
	lb -q service del $service

	lb -q service add 10.7.0.1:80/tcp forward ipip
	lb -q backend add 10.7.0.1:80/tcp 10.0.0.2
	no_problem "a tunnel from where the kernel says"
	prints "... with an MTU that is too small" \
		'warn +mtu +10.0.0.2 .*more than 1480 bytes .*MSS of 1440' lb doctor
	lb -q service set 10.7.0.1:80/tcp src 192.0.2.1
	problem "a tunnel from nowhere" '10.0.0.2:80 .*192.0.2.1, which is no address of this'
	lb -q service set 10.7.0.1:80/tcp src 192.0.2.0/24
	no_problem "but spread over a prefix it may be"
	lb -q service add 10.7.0.1:81/tcp forward gue
	prints "a tunnel to where no way is has no source yet" \
		"198.51.100.1.* no way there.*'service set .* src" \
		lb backend add 10.7.0.1:81/tcp 198.51.100.1
	lb -q service add 10.0.0.10:81/tcp forward gue
	refuses 1 "10.0.0.2:81.* the address of .*'service set .* src" \
		backend add 10.0.0.10:81/tcp 10.0.0.2
	lb -q clear
}

bridges
unknown
takes_the_place_of_a_way
faults
finish
