#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_doctor.sh - lbctl doctor and a virtual machine's network cards: on taps in a namespace,
# because without one qemu has nothing that it could merge.
here=$(cd "$(dirname "$0")" && pwd)
ns=swy-vm-$$
trap 'ip netns del "$ns" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

# tap NAME: made in the namespace.
tap()
{
	nsenter --net="/run/netns/$ns" ip tuntap add "$1" mode tap vnet_hdr
}

"$here/kernel.sh" >/dev/null || exit 1 # which may have to fetch it
ip netns add "$ns" && tap t1 && tap t2 || exit 1
VM_CARDS="-netdev tap,id=t1,ifname=t1,script=no,downscript=no
	-device virtio-net-pci,netdev=t1,mac=52:54:00:00:00:01
	-netdev tap,id=t2,ifname=t2,script=no,downscript=no
	-device virtio-net-pci,netdev=t2,mac=52:54:00:00:00:02,ctrl_guest_offloads=off" \
	nsenter --net="/run/netns/$ns" "$here/suite.sh" "$here/guest_doctor.sh"
