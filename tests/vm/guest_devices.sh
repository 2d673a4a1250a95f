#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_devices.sh - by which VLAN devices and bridges lbctl finds a way out, in a guest.
#
# That packets go there is shown in guest_modes.sh.
set -uo pipefail
# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../net/lab.sh"
failed=0

# shows NAME REGEX: a line of `chain show`.
shows()
{
	local said

	if said=$(lbctl chain show 2>&1) && grep -qxE -- "$2" <<<"$said"; then
		echo "ok - devices: $1"
		return
	fi
	failed=$((failed + 1))
	printf 'not ok - devices: %s\n# wanted: %s\n%s\n' "$1" "$2" "# ${said//$'\n'/$'\n'# }"
}

# vlan NAME BELOW ID [PROTOCOL]
vlan()
{
	{
		on lb ip link add "$1" link "$2" type vlan proto "${4:-802.1Q}" id "$3" &&
			on lb ip link set "$1" up
	} || lab_die "cannot make VLAN device $1"
}

# bridge NAME PORT [OPTION...]
bridge()
{
	local name=$1 port=$2

	shift 2
	{
		on lb ip link add "$name" type bridge "$@" &&
			on lb ip link set "$port" master "$name" &&
			on lb ip link set "$name" up
	} || lab_die "cannot make bridge $name"
}

# problem NAME REGEX: a line of `lbctl`.
problem()
{
	if lbctl 2>&1 | grep -qE -- "^! .*$2"; then
		echo "ok - devices: $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok - devices: $1"
	lbctl 2>&1 | sed 's/^/# /'
}

modprobe 8021q || lab_die "no VLANs in this kernel"
lab_open
lab_host lb 10
vlan one eth0 100
vlan two one 5
vlan outer eth0 200 802.1ad
vlan inner outer 7
vlan third inner 9
bridge over one
lbctl -q chain attach eth0 mode skb || lab_die "cannot attach"

shows "one tag" 'one leaves by eth0, with 802.1Q VLAN 100'
shows "two tags, the outer one first" \
	'two leaves by eth0, with 802.1Q VLAN 100, 802.1Q VLAN 5'
shows "a tag of 802.1ad" 'outer leaves by eth0, with 802.1ad VLAN 200'
shows "... around one of 802.1Q" \
	'inner leaves by eth0, with 802.1ad VLAN 200, 802.1Q VLAN 7'
shows "a bridge over a VLAN device" 'over leaves by eth0, with 802.1Q VLAN 100'

on lb ip addr add 10.9.0.1/24 dev third
lbctl -q service add 10.0.0.10:80/tcp
lbctl -q backend add 10.0.0.10:80/tcp 10.9.0.2
problem "three tags are too many" '10.9.0.2:80 .*third, which puts more than two VLAN tags'
vlan later eth0 300
on lb ip addr add 10.8.0.1/24 dev later
lbctl -q backend add 10.0.0.10:80/tcp 10.8.0.2
shows "one that came later is found by the next command" \
	'later leaves by eth0, with 802.1Q VLAN 300'
on lb ip link set over type bridge vlan_filtering 1
on lb ip addr add 10.7.0.1/24 dev over
lbctl -q backend add 10.0.0.10:80/tcp 10.7.0.2
problem "a bridge that filters is none" '10.7.0.2:80 .*over, a bridge that filters by VLAN'

[ "$failed" -eq 0 ]
