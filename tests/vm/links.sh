# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# links.sh - ways out that are no plain interface, to be sourced by guest_modes.sh: VLANs,
# tagged once and twice, a trunk without VLAN devices, and a bridge.
#
# Networks are 10.NET.0.0/24 and fd00:NET::/64, backends are .2 and .3, the balancer is .10
# and has the chain on eth0 and eth1 alone.
#
#     30  a trunk: tag 30 everywhere, but the balancer has no VLAN device
#     10  tag 10: the client            11  tags 100 (802.1ad) and 11: the client
#     20  tag 20: the backends          40  behind a bridge with one port, eth1: the backends

# address HOST DEVICE NET NUMBER
address()
{
	on "$1" ip link set "$2" up &&
		on "$1" ip addr add "10.$3.0.$4/24" dev "$2" &&
		on "$1" ip addr add "fd00:$3::$4/64" dev "$2" nodad
}

# vlan HOST BELOW TAG [PROTOCOL]: a device eth0.TAG.
vlan()
{
	on "$1" ip link add "eth0.$3" link "$2" type vlan proto "${4:-802.1Q}" id "$3" &&
		on "$1" sysctl -qw "net.ipv6.conf.eth0/$3.accept_dad=0" &&
		on "$1" ip link set "eth0.$3" up
}

# neighbour HOST DEVICE NET NUMBER OF: where nobody answers ARP.
neighbour()
{
	local mac

	mac=$(on "$5" ip -j link show eth0 | jq -r '.[0].address')
	on "$1" ip neigh replace "10.$3.0.$4" lladdr "$mac" dev "$2" nud permanent &&
		on "$1" ip neigh replace "fd00:$3::$4" lladdr "$mac" dev "$2" nud permanent
}

# gateway HOST NET: the balancer, to the client's networks.
gateway()
{
	local net

	for net in 10 11; do
		on "$1" ip route replace "10.$net.0.0/24" via "10.$2.0.10" &&
			on "$1" ip route replace "fd00:$net::/64" via "fd00:$2::10" || return 1
	done
}

build_bridge()
{
	lab_net 4
	lab_plug lb eth1 4 10
	on lb ip addr flush dev eth1
	lab_plug b2 eth1 4 2
	lab_plug b3 eth1 4 3
	{
		on lb ip link add brlan type bridge mcast_snooping 0 &&
			on lb sysctl -qw net.ipv6.conf.brlan.accept_dad=0 &&
			on lb ip link set eth1 master brlan &&
			address lb brlan 40 10 && address b2 eth1 40 2 &&
			address b3 eth1 40 3
	} || lab_die "no network behind a bridge"
}

# ---- the trunk ---------------------------------------------------------------------------------

build_trunk()
{
	local host

	vlan client eth0 30 && address client eth0.30 30 1 &&
		address lb eth0 30 10 || return 1
	for host in 2:b2 3:b3; do
		vlan "${host#*:}" eth0 30 && address "${host#*:}" eth0.30 30 "${host%:*}" &&
			neighbour lb eth0 30 "${host%:*}" "${host#*:}" &&
			neighbour "${host#*:}" eth0.30 30 10 lb || return 1
	done
	neighbour lb eth0 30 1 client && neighbour client eth0.30 30 10 lb
}

trunk()
{
	balance fullnat 30 8000 30
}

# ---- VLANs -----------------------------------------------------------------------------------------

# Each host on its own networks; the balancer on all, and the backends' gateway.
build_vlans()
{
	local host

	vlan client eth0 10 && address client eth0.10 10 1 &&
		vlan client eth0 100 802.1ad && vlan client eth0.100 11 &&
		address client eth0.11 11 1 || return 1
	vlan lb eth0 10 && address lb eth0.10 10 10 && vlan lb eth0 20 &&
		address lb eth0.20 20 10 && vlan lb eth0 100 802.1ad &&
		vlan lb eth0.100 11 && address lb eth0.11 11 10 || return 1
	for host in 2:b2 3:b3; do
		vlan "${host#*:}" eth0 20 && address "${host#*:}" eth0.20 20 "${host%:*}" &&
			gateway "${host#*:}" 20 || return 1
	done
}

# balance FORWARD CLIENT_NET PORT BACKEND_NET: services of the balancer's addresses.
balance()
{
	local n

	echo "service add 10.$2.0.10:$3/tcp forward $1"
	echo "service add [fd00:$2::10]:$3/tcp forward $1"
	for n in 2 3; do
		echo "backend add 10.$2.0.10:$3/tcp 10.$4.0.$n:8000"
		echo "backend add [fd00:$2::10]:$3/tcp [fd00:$4::$n]:8000"
	done
}

vlans()
{
	balance nat 10 8000 20
	balance nat 11 8000 20
	balance fullnat 10 8001 20
	balance fullnat 11 8001 20
	balance fullnat 10 8002 40
}

# Answers come by the bridge, too.
answer_by_bridge()
{
	gateway b2 40 && gateway b3 40
}

# ---- what is to be shown --------------------------------------------------------------------------------

# both NAME NET PORT: over both families, and in large packets.
both()
{
	local host

	for host in "10.$2.0.10" "[fd00:$2::10]"; do
		check "$1: curl gets both backends of $host" both_backends "$host:$3"
		check "$1: 100 kB go to $host" upload "$host:$3" 100000
	done
}

test_links()
{
	check "trunk: hosts have tag 30, the balancer has no VLAN device" build_trunk
	check "trunk: services are configured" apply trunk
	both "trunk, fullnat" 30 8000
	check "VLANs 10, 20, and 11 in 100 (802.1ad) are there" build_vlans
	check "VLANs: services are configured" apply vlans
	both "from VLAN 10 to 20, nat" 10 8000
	both "from VLAN 11 in 100 to 20, nat" 11 8000
	both "from VLAN 10 to 20, fullnat" 10 8001
	both "from VLAN 11 in 100 to 20, fullnat" 11 8001
	check "bridge: backends answer by it" answer_by_bridge
	both "from VLAN 10 by a bridge and back, fullnat" 10 8002
}
