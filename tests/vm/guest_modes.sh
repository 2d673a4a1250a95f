#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_modes.sh - tunnels to backends that take packets out of them with the kernel's own
# devices, and ways out by VLANs and bridges, in a guest.
#
# In ipip and gue, each mix of families is a service address of its own, because that is
# what a ping service has:
#
#     .100 ipip to IPv4 backends    .102 gue to IPv4 backends    .104 ipip from a prefix
#     .101 ipip to IPv6 backends    .103 gue to IPv6 backends
set -uo pipefail
here=$(dirname "$0")
# shellcheck source=tests/net/lab.sh
. "$here/../net/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$here/../net/tap.sh"
# shellcheck source=tests/net/ask.sh
. "$here/../net/ask.sh"
# shellcheck source=tests/vm/links.sh
. "$here/links.sh"

SERVICES=(100 101 102 103 104)

# ---- backends ----------------------------------------------------------------------------

# prepare_backend HOST NUMBER: what docs tell a user to do.
prepare_backend()
{
	local n

	on "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.arp_ignore=1 \
		net.ipv4.conf.all.arp_announce=2 || return 1
	for n in "${SERVICES[@]}"; do
		on "$1" ip addr add "10.0.0.$n/32" dev lo &&
			on "$1" ip addr add "fd00:5::$n/128" dev lo nodad || return 1
	done
	# IPv4 in IPv4, IPv6 in IPv4, both in IPv6, of which ip6tnl0 takes neither.
	on "$1" ip link set tunl0 up &&
		on "$1" ip link set sit0 up &&
		on "$1" ip link add tunl6 type ip6tnl mode any local "fd00:5::$2" \
			remote :: &&
		on "$1" ip link set tunl6 up &&
		on "$1" sysctl -qw net.ipv4.conf.tunl0.rp_filter=0 \
			net.ipv4.conf.tunl6.rp_filter=0 || return 1
	on "$1" ip fou add port 6080 gue && on "$1" ip fou add port 6080 gue -6
}

build()
{
	local n

	modprobe -a ipip sit ip6_tunnel fou fou6 8021q || lab_die "modules are missing"
	lab_host client 1
	lab_host lb 10
	# IPv6 sources are chosen by likeness: not of these.
	for n in "${SERVICES[@]}"; do
		on lb ip addr add "10.0.0.$n/32" dev eth0
		on lb ip addr add "fd00:5::$n/128" dev eth0 nodad preferred_lft 0
	done
	for n in 2 3; do
		lab_host "b$n" "$n"
		prepare_backend "b$n" "$n" || lab_die "cannot prepare b$n"
		lab_backend "b$n"
	done
	build_bridge
}

# ---- services ------------------------------------------------------------------------------

# tunnel SERVICE_ADDRESS FORWARD BACKEND...
tunnel()
{
	local ip=$1 forward=$2 port

	shift 2
	for port in :8000/tcp :9000/tcp :8000/udp /icmp; do
		echo "service add $ip$port forward $forward"
		printf "backend add $ip$port %s\n" "$@"
	done
}

tunnels()
{
	local ip

	for ip in '10.0.0.%d' '[fd00:5::%d]'; do
		# shellcheck disable=SC2059 # it is a format
		{
			tunnel "$(printf "$ip" 100)" ipip 10.0.0.2 10.0.0.3
			tunnel "$(printf "$ip" 101)" ipip '[fd00:5::2]' '[fd00:5::3]'
			tunnel "$(printf "$ip" 102)" gue 10.0.0.2 10.0.0.3
			tunnel "$(printf "$ip" 103)" gue '[fd00:5::2]' '[fd00:5::3]'
		}
	done
	echo 'service add 10.0.0.104:8000/tcp forward ipip src 10.9.0.0/24'
	echo 'backend add 10.0.0.104:8000/tcp 10.0.0.2'
	echo 'service add [fd00:5::104]:8000/tcp forward ipip src fd09::/64'
	echo 'backend add [fd00:5::104]:8000/tcp [fd00:5::2]'
}

apply()
{
	"$1" >"$lab_tmp/lb.conf"
	lbctl apply "$lab_tmp/lb.conf"
}

# ---- what a client gets ------------------------------------------------------------------------

# taken_out DEVICE: packets that backends' devices took out of tunnels.
taken_out()
{
	local host

	for host in b2 b3; do
		on "$host" ip -j -s link show "$1"
	done | jq -s 'map(.[0].stats64.rx.packets) | add'
}

# pings_through DEVICE IP: backends get each echo request, nobody else answers any.
pings_through()
{
	local before after

	before=$(taken_out "$1")
	pings "$2" 4 || return 1
	after=$(taken_out "$1")
	is $((after - before)) 4
}

nc_datagram()
{
	echo hello | on client nc -u -w 10 -W 1 "$1" 8000
}

nc_both()
{
	lines "$1" 9000 && answers 'b[23] hello' nc_datagram "$1"
}

# fits IP HOST MTU: the client sends 1500 bytes with DF until it is told what fits.
fits()
{
	upload "$2:8000" 100000 || return 1
	on client ip route get "$1" | grep -w "mtu $3" && return
	on client ip route get "$1"
	return 1
}

# crosses NAME IP HOST DEVICE MTU
crosses()
{
	check "$1: curl gets both backends" both_backends "$3:8000"
	check "$1: nc talks TCP and UDP" nc_both "$2"
	check "$1: backends answer ping, nothing is lost" pings_through "$4" "$2"
	check "$1: what is too big for it is told so, and sent smaller" \
		fits "$2" "$3" "$5"
}

test_tunnels()
{
	crosses 'ipip, IPv4 in IPv4' 10.0.0.100 10.0.0.100 tunl0 1480
	crosses 'ipip, IPv4 in IPv6' 10.0.0.101 10.0.0.101 tunl6 1460
	crosses 'ipip, IPv6 in IPv4' fd00:5::100 '[fd00:5::100]' sit0 1480
	crosses 'ipip, IPv6 in IPv6' fd00:5::101 '[fd00:5::101]' tunl6 1460
	crosses 'gue, IPv4 in IPv4' 10.0.0.102 10.0.0.102 tunl0 1472
	crosses 'gue, IPv4 in IPv6' 10.0.0.103 10.0.0.103 tunl6 1452
	crosses 'gue, IPv6 in IPv4' fd00:5::102 '[fd00:5::102]' sit0 1472
	crosses 'gue, IPv6 in IPv6' fd00:5::103 '[fd00:5::103]' tunl6 1452
}

# ---- where tunnels come from ----------------------------------------------------------------------

# sources HOST:PORT FILTER PATTERN: eight flows come from more than one address, all of
# which are like PATTERN.
sources()
{
	local said=$lab_tmp/outer found n

	rm -f "$said"
	# shellcheck disable=SC2016 # the inner shell's
	lab_start b2 sh -c 'exec tcpdump -i eth0 -nn -l --immediate-mode "$1" >"$2" 2>&1' \
		- "$2" "$said"
	until grep -qs '^listening on' "$said"; do
		kill -0 "$lab_pid" || return 1
		sleep 0.05
	done
	for n in {1..8}; do
		answers b2 get "$1" || return 1
	done
	lab_end "$lab_pid"
	found=$(awk '$2 ~ /^IP/ { print $3 }' "$said" | sort -u)
	n=$(wc -l <<<"$found")
	echo "# $n addresses"
	# shellcheck disable=SC2053 # a pattern
	[ "$n" -gt 1 ] && ! grep -v "$3" <<<"$found"
}

test_sources()
{
	check "ipip: flows come from a prefix of IPv4" \
		sources 10.0.0.104:8000 'ip proto 4' '^10\.9\.0\.'
	check "ipip: flows come from a prefix of IPv6" \
		sources '[fd00:5::104]:8000' 'ip6 proto 41' '^fd09::'
}

# ---- what doctor says of backends ------------------------------------------------------------------

# finds VERDICT BACKEND REGEX
finds()
{
	local shown

	shown=$(lbctl doctor)
	grep -qE -- "^$1 +address +$2 +.*$3" <<<"$shown" || {
		printf "no '%s' of %s in:\n%s\n" "$3" "$2" "$shown"
		return 1
	}
}

# finds_tunnels VERDICT REGEX: of ipip and gue, in both families.
finds_tunnels()
{
	finds "$1" 10.0.0.2 "$2 10.0.0.100 " && finds "$1" 10.0.0.2 "$2 10.0.0.102 " &&
		finds "$1" fd00:5::2 "$2 fd00:5::101 " &&
		finds "$1" fd00:5::2 "$2 fd00:5::103 "
}

tunnels_down()
{
	on b2 ip link set tunl0 down && on b2 ip link set tunl6 down
}

test_doctor()
{
	check "doctor: backends take packets out of tunnels" \
		finds_tunnels ok 'takes packets for'
	check "(tunnel devices of one go down)" tunnels_down
	check "doctor: it answers, but not through tunnels" \
		finds_tunnels fail 'answers pings, but none to'
	check "doctor: the other one does" finds ok 10.0.0.3 'takes packets for 10.0.0.100'
}

lab_open
build
lab_peer_program
check "the chain attaches" lbctl chain attach eth0 eth1 || exit 1
check "tunnels are configured" apply tunnels || exit 1
test_tunnels
test_sources
test_doctor
test_links
tap_end
