#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_doctor.sh - what lbctl doctor says of a virtual machine's network cards, in a guest.
#
# The hypervisor may merge packets for both. It can be told not to for the one whose MAC
# address ends with 1, and cannot for the one that ends with 2.
set -uo pipefail
here=$(dirname "$0")
# shellcheck source=tests/net/tap.sh
. "$here/../net/tap.sh"
lab_tmp=$(mktemp -d) || exit 1
build=${BUILD:-$here/../../build}

lb()
{
	"$build/lbctl" "$@"
}

# card END: the interface with that MAC address.
card()
{
	ip -j link | jq -r ".[] | select(.address == \"52:54:00:00:00:0$1\").ifname"
}

# finds VERDICT CHECK DEV REGEX
finds()
{
	local shown

	shown=$(lb doctor "$3")
	grep -qE -- "^$1 +$2 +$3 +.*$4" <<<"$shown" || {
		printf "no '%s %s %s %s' in:\n%s\n" "$@" "$shown"
		return 1
	}
}

# attach DEV MODE; refuses DEV MODE
attach()
{
	lb -q chain attach "$1" mode "$2"
}

refuses()
{
	! lb -q chain attach "$1" mode "$2"
}

modprobe virtio_net || exit 1
switchable=$(card 1) fixed=$(card 2)
ip link set "$switchable" up
ip link set "$fixed" up
what=virtio
check "$what: a driver with native XDP" finds ok native "$switchable" 'virtio_net'
check "$what: merging can be switched off" \
	finds ok virtio "$switchable" 'packets as they are'
check "$what: native XDP attaches" attach "$switchable" native
check "$what: and all is well" finds ok virtio "$switchable" 'packets as they are'
check "$what: one queue for two CPUs" finds warn queues "$switchable" '1 receive queue, for 2'

check "$what: merging that cannot be switched off is found" \
	finds fail virtio "$fixed" 'native XDP is refused'
check "$what: native XDP is refused" refuses "$fixed" native
check "$what: skb mode is not" attach "$fixed" skb
check "$what: but there packets come merged" \
	finds fail virtio "$fixed" 'merges packets before the chain'
check "$what: lbctl clears" lb -q clear
rm -r "$lab_tmp"
tap_end
