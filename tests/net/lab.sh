# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lab.sh - hosts on a switch, to be sourced: client, balancer and backends.
#
# Each host is a network namespace "swy-PID-NAME" with an interface eth0; the switch is
# one more, with a bridge for each network, most often the one network 0.  Nothing is made outside of them, but for pins in a folder of
# the BPF file system with the same name.  lab_close, which lab_open sets as the shell's
# last word, ends all processes that were started here and removes all that was made.
#
#     client 10.0.0.1 fd00:5::1          b2 10.0.0.2 fd00:5::2
#     lb     10.0.0.10 fd00:5::10        b3 10.0.0.3 fd00:5::3    and so on
#     NUMBER in network NET: 10.0.NET.NUMBER/24 fd00:5:0:NET::NUMBER/64
#
# Packets must leave hosts as they leave network cards: with checksums and VLAN tags in
# them, so these offloads are off.  A veth takes what its other end sends back in native
# XDP only if it has a program itself: pass.bpf.c, see lab_peer_program.  And TCP's early
# retransmissions are off: they send again what was not lost, and we count what was.

# shellcheck disable=SC2034 # what these functions say is for the scripts that call them

lab_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab_build=${BUILD:-$lab_top/build}
[[ $lab_build == /* ]] || lab_build=$PWD/$lab_build
lab_id=swy-$$
lab_pins=/sys/fs/bpf/$lab_id
lab_tmp=
lab_python=
lab_mounted=
lab_hosts=()
lab_ends=()	# the switch's, of the balancer's cables
declare -A lab_pids=()

lab_die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# ---- processes ---------------------------------------------------------------

# on HOST COMMAND...: nsenter, because `ip netns exec` mounts another /sys, without bpffs,
# and it and `ip -n` do not work in a chroot, whose / is no mount.
on()
{
	local host=$1

	shift
	nsenter --net="/run/netns/$lab_id-$host" -- "$@"
}

# lab_start HOST COMMAND...: in the background; its pid is in $lab_pid, what it prints in
# $lab_tmp/HOST.log.
lab_start()
{
	local host=$1

	shift
	(
		# Who holds the client's end of the pipe keeps it from ending.
		[ -z "${client_tell:-}" ] || exec {client_tell}>&- {client_told}<&-
		exec nsenter --net="/run/netns/$lab_id-$host" -- "$@" \
			>>"$lab_tmp/$host.log" 2>&1
	) &
	lab_pid=$!
	lab_pids[$lab_pid]=1
}

# lab_end PID...: ask to end, and wait.
lab_end()
{
	local pid

	for pid; do
		kill -TERM "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		unset "lab_pids[$pid]"
	done
	return 0
}

lbctl()
{
	on lb "$lab_build/lbctl" --pin-dir "$lab_pins" "$@"
}

# ---- opening and closing -----------------------------------------------------

lab_open()
{
	[ "$(id -u)" -eq 0 ] || lab_die "namespaces and BPF need root: run it with sudo"
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap : PIPE
	trap lab_close EXIT
	lab_tmp=$(mktemp -d "${TMPDIR:-/tmp}/$lab_id.XXXXXX") || exit 1
	lab_python=$(python3 -c 'import sys; print(sys.executable)') || exit 1
	if ! mountpoint -q /sys/fs/bpf; then
		mount -t bpf bpf /sys/fs/bpf || lab_die "cannot mount /sys/fs/bpf"
		lab_mounted=1
	fi
	lab_switch
}

# lab_clear: end what runs, remove what is there.
lab_clear()
{
	local host

	lab_end "${!lab_pids[@]}"
	for host in "${lab_hosts[@]}"; do
		ip netns del "$lab_id-$host" 2>/dev/null
	done
	lab_hosts=()
	lab_ends=()
	umount "$lab_tmp/sys" 2>/dev/null # lab_steer's, if it was interrupted
	rm -rf --one-file-system "$lab_pins" "$lab_tmp"
	# Another lab may have come to use it meanwhile.
	[ -z "$lab_mounted" ] || [ -n "$(ls -A /sys/fs/bpf)" ] || umount /sys/fs/bpf
}

lab_close()
{
	local status=$?

	trap '' HUP INT TERM
	trap - EXIT
	lab_clear
	exit "$status"
}

lab_netns()
{
	lab_hosts+=("$1")
	ip netns add "$lab_id-$1" && on "$1" ip link set lo up
}

lab_switch()
{
	lab_netns switch || lab_die "cannot make a switch"
	lab_net 0
}

# lab_net NET: one more network, from 0 to 9, on a bridge of its own.
lab_net()
{
	{
		on switch ip link add "br$1" type bridge mcast_snooping 0 &&
			on switch ip link set "br$1" up
	} || lab_die "cannot make a bridge"
}

# lab_steer HOST DEV: one CPU processes all that a host receives, as one does for each queue
# of a network card.  A veth leaves it to the sender's, and packets of one connection come
# from several: of a SYN's ACK and the data behind it on two CPUs at once, the data may find
# neither the request nor the socket that takes its place, and is answered with a RST
# (6.18; once in 70,000 connections here, more often where CPUs are virtual and are taken
# away in between).  /sys is of whatever namespace it was mounted in.
lab_steer()
{
	local sys=$lab_tmp/sys failed=''

	mkdir -p "$sys" && on "$1" mount -t sysfs sysfs "$sys" || return 1
	echo 1 >"$sys/class/net/$2/queues/rx-0/rps_cpus" || failed=1
	umount "$sys"
	[ -z "$failed" ]
}

# lab_plug HOST DEV NET NUMBER: one more interface of a host.  The switch's end of eth0's
# cable is called HOST, that of others HOST-DEV.
lab_plug()
{
	local host=$1 dev=$2 net=$3 number=$4 ns=$lab_id-$1 end=$1

	[ "$dev" = eth0 ] || end=$1-$dev
	{
		ip link add "$dev" netns "$ns" type veth \
			peer name "$end" netns "$lab_id-switch" &&
			on "$host" ethtool -K "$dev" tx off txvlan off rxvlan off &&
			on switch ethtool -K "$end" tx off txvlan off rxvlan off &&
			on "$host" sysctl -qw "net.ipv6.conf.$dev.accept_dad=0" &&
			on "$host" ip addr add "10.0.$net.$number/24" dev "$dev" &&
			on "$host" ip addr add "fd00:5:0:$net::$number/64" dev "$dev" nodad &&
			on "$host" ip link set "$dev" up &&
			on switch ip link set "$end" master "br$net" up
	} >/dev/null || lab_die "cannot plug $host's $dev in"
	if [ "$host" = lb ]; then
		lab_ends+=("$end")
	else
		lab_steer "$host" "$dev" || lab_die "cannot have one CPU receive for $host"
	fi
}

# lab_host NAME NUMBER [NET]
lab_host()
{
	{
		lab_netns "$1" && on "$1" sysctl -qw net.ipv4.tcp_early_retrans=0
	} || lab_die "cannot make the host $1"
	lab_plug "$1" eth0 "${3:-0}" "$2"
}

# lab_peer_program: needed for native mode, at the switch's ends of the balancer's cables;
# what is sent back is lost without.
lab_peer_program()
{
	local object=$lab_build/tests/net/pass.bpf.o end

	for end in "${lab_ends[@]}"; do
		on switch ip link set dev "$end" xdpdrv obj "$object" sec xdp ||
			lab_die "cannot load $object"
	done
}

# lab_attach MODE: the chain, and what the lab needs for it.
lab_attach()
{
	[ "$1" = skb ] || lab_peer_program
	lbctl -q chain attach eth0 mode "$1" || lab_die "cannot attach in mode $1"
}

# lab_backend NAME [HTTP LINES]: start its server, wait until it listens.
lab_backend()
{
	local http=${2:-8000} lines=${3:-9000} _

	lab_start "$1" "$lab_python" "$lab_top/tests/net/backend.py" \
		"$1" "$http" "$lines"
	for _ in {1..200}; do
		[ -z "$(on "$1" ss -Htln "sport = :$http")" ] || return 0
		sleep 0.05
	done
	lab_die "the server on $1 does not listen: $(tail -n 1 "$lab_tmp/$1.log")"
}

# lab_basic [BACKEND_NUMBER...]: client, balancer and backends, servers started.
lab_basic()
{
	local number

	lab_host client 1
	lab_host lb 10
	for number; do
		lab_host "b$number" "$number"
		lab_backend "b$number"
	done
}

# ---- the client that asks without pause --------------------------------------

# client_start OPTIONS... ADDRESS: client.py; client_phase, client_stop talk with it.
client_start()
{
	rm -f "$lab_tmp/tell" "$lab_tmp/told"
	mkfifo "$lab_tmp/tell" "$lab_tmp/told" || return 1
	nsenter --net="/run/netns/$lab_id-client" -- \
		"$lab_python" "$lab_top/tests/net/client.py" "$@" \
		<"$lab_tmp/tell" >"$lab_tmp/told" 2>"$lab_tmp/failures" &
	client_pid=$!
	lab_pids[$client_pid]=1
	exec {client_tell}>"$lab_tmp/tell" {client_told}<"$lab_tmp/told"
}

# client_phase NAME: begin a phase; what came of the one before is in $client_line.
client_phase()
{
	echo "$1" >&"$client_tell" && read -r client_line <&"$client_told"
}

client_runs()
{
	kill -0 "$client_pid" 2>/dev/null
}

# client_stop: the last phase is in $client_line, the sum in $client_total.
client_stop()
{
	local status

	# Said, not closed: what was started since has this end of the pipe open, too.
	echo >&"$client_tell"
	exec {client_tell}>&-
	read -r client_line <&"$client_told"
	read -r client_total <&"$client_told"
	exec {client_told}<&-
	client_tell='' client_told=''
	wait "$client_pid"
	status=$?
	unset "lab_pids[$client_pid]"
	return "$status"
}

# told KEY LINE: its number in a line of the client, 0 if it is not there.
told()
{
	[[ " $2 " =~ " $1="([0-9]+)" " ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# shellcheck disable=SC2016 # $1 and $13 are awk's
# retransmitted: TCP segments that the hosts sent again, all together.  An answer hides a
# packet that was lost; this does not.
retransmitted()
{
	local host sum=0 n

	for host in "${lab_hosts[@]}"; do
		n=$(on "$host" awk '$1 == "Tcp:" && $13 != "RetransSegs" { print $13 }' \
			/proc/net/snmp)
		sum=$((sum + n))
	done
	echo "$sum"
}
