#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_policies.sh - every policy that is shipped chooses for real connections as it says.
#
# Three backends of weights 3, 1 and 1; the client has forty addresses.  Bounds are five
# standard deviations where a policy leaves it to chance, and the number of CPUs where each
# has a turn of its own.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/hold.sh
. "$(dirname "$0")/hold.sh"
# shellcheck source=tests/net/ask.sh
. "$(dirname "$0")/ask.sh"

CPUS=$(nproc)
sources=()	# of the family in hand
shown=()	# policies that were

# endpoint NUMBER: address of the family in hand, as URLs have it.
endpoint()
{
	if [ "$family" = IPv4 ]; then
		echo "10.0.0.$1"
	else
		echo "[fd00:5::$1]"
	fi
}

# Of the client, and of the service whose ports nobody translates: its backends have it.
addresses()
{
	local n

	for n in 2 3; do
		on "b$n" sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
			net.ipv4.conf.all.arp_announce=2 &&
			on "b$n" ip addr add 10.0.0.100/32 dev lo &&
			on "b$n" ip addr add fd00:5::100/128 dev lo nodad || return 1
	done
	on lb ip addr add 10.0.0.100/24 dev eth0 &&
		on lb ip addr add fd00:5::100/64 dev eth0 nodad || return 1
	for n in {110..149}; do
		on client ip addr add "10.0.0.$n/24" dev eth0 &&
			on client ip addr add "fd00:5::$n/64" dev eth0 nodad || return 1
	done
}

configure()
{
	for family in IPv4 IPv6; do
		echo "service add $(endpoint 10):9000/tcp forward fullnat"
		echo "backend add $(endpoint 10):9000/tcp $(endpoint 2) weight 3"
		echo "backend add $(endpoint 10):9000/tcp $(endpoint 3)"
		echo "backend add $(endpoint 10):9000/tcp $(endpoint 4)"
	done >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf"
}

# near N WANTED BOUND
near()
{
	[ "$1" -ge $(($2 - $3)) ] && [ "$1" -le $(($2 + $3)) ] && return
	echo "$1 is not $2 within $3"
	return 1
}

# shares COMMAND B2 B3 B4 BOUND: of 150 connections, which the holder makes by this
# command, from all addresses; none fails.
shares()
{
	hold "$1" 150 "${sources[@]}" || return 1
	echo "# $held"
	is "$(told lost "$held")" 0 && near "$(told b2 "$held")" "$2" "$5" &&
		near "$(told b3 "$held")" "$3" "$5" && near "$(told b4 "$held")" "$4" "$5"
}

# choose NAME
choose()
{
	shown+=("$1")
	lbctl policy set "$1"
}

# ---- by turn and by chance ---------------------------------------------------------------

round_robin()
{
	choose round-robin && shares spread 50 50 50 $((2 * CPUS))
}

weighted()
{
	choose weighted && shares spread 90 30 30 $((2 * CPUS))
}

random()
{
	choose random && shares spread 90 30 30 30
}

# ---- by hash -----------------------------------------------------------------------------

hash()
{
	choose hash && shares spread 90 30 30 32
}

# An address has one backend, with whatever port.
source_hash()
{
	local n source

	declare -A by=()
	choose source-hash || return 1
	for source in "${sources[@]}"; do
		hold open "$source" "$source" || return 1
		by[$held]=1
		for n in 1 2 3; do
			holds "$held" open "$source.$n" "$source" || return 1
		done
	done
	echo "# ${!by[*]}"
	hold empty && [ ${#by[@]} -gt 1 ] && [[ ${!by[*]} != *[!b234\ ]* ]]
}

# ---- by live flows -----------------------------------------------------------------------

least_conn()
{
	choose least-conn && shares fill 90 30 30 1
}

# Whoever is left gets all that come, until it is level again; the other half of each
# connection takes a moment to close.
least_conn_fills_up()
{
	holds closed leave b3 20 && sleep 1 && holds 'b3=20 lost=0' fill 20 &&
		holds 'open=150 moved=0 lost=0' round && hold empty
}

p2c()
{
	choose p2c && shares fill 90 30 30 12 && hold empty
}

# ---- by priority -------------------------------------------------------------------------

primaries_alone()
{
	lbctl backend set "$(endpoint 10):9000/tcp" "$(endpoint 4)" priority 1 &&
		choose primary-standby && shares fill 112 38 0 $((2 * CPUS)) &&
		is "$(told b4 "$held")" 0
}

standby_takes_over()
{
	local n

	for n in 2 3; do
		lbctl backend drain "$(endpoint 10):9000/tcp" "$(endpoint "$n")" || return 1
	done
	holds 'b4=30 lost=0' fill 30 && holds 'open=180 moved=0 lost=0' round
}

primary_comes_back()
{
	lbctl backend set "$(endpoint 10):9000/tcp" "$(endpoint 3)" state active &&
		holds 'b3=30 lost=0' fill 30 && holds 'open=210 moved=0 lost=0' round &&
		hold empty
}

# ---- by payload --------------------------------------------------------------------------

rules()
{
	local udp

	udp=$(endpoint 100):8000/udp
	shown+=(match)
	lbctl service add "$udp" forward dsr persistence none policy match &&
		lbctl backend add "$udp" "$(endpoint 2)" &&
		lbctl backend add "$udp" "$(endpoint 3)" &&
		lbctl policy param match rule "at 0 = red backend $(endpoint 2)" \
			service "$udp" &&
		lbctl policy param match rule "at 0 = blue backend $(endpoint 3)" \
			service "$udp"
}

# say WORD: as a datagram.
say()
{
	local ip

	ip=$(endpoint 100)
	ip=${ip//[][]/}
	printf %s "$1" | on client nc -u -w 1 -W 1 "$ip" 8000
}

match()
{
	local n

	rules || return 1
	for n in 1 2 3; do
		answers "b2 red $n" say "red $n" && answers "b3 blue $n" say "blue $n" || return 1
	done
}

# ------------------------------------------------------------------------------------------

test_family()
{
	local ip

	family=$1 ip=$(endpoint 10)
	ip=${ip//[][]/}
	mapfile -t sources < <(printf "${ip%10}%d\n" {110..149})
	hold_start "$ip" 9000
	check "$family, round-robin: all have the same" round_robin
	check "$family, weighted: each has its share, in turn" weighted
	check "$family, random: each has its share, by chance" random
	check "$family, hash: each has its share, by chance" hash
	check "$family, source-hash: each address has one backend" source_hash
	check "$family, least-conn: what is open is level" least_conn
	check "$family, least-conn: and becomes so again" least_conn_fills_up
	check "$family, p2c: what is open is nearly level" p2c
	check "$family, primary-standby: primaries have all" primaries_alone
	check "$family, primary-standby: the standby takes over" standby_takes_over
	check "$family, primary-standby: and steps back" primary_comes_back
	check "$family, match: what is in it says where it goes" match
	hold_stop
}

# None that is shipped was left out.
all_were_shown()
{
	local file

	for file in "$lab_build"/policies/*.bpf.o; do
		file=${file##*/} file=${file%.bpf.o}
		[[ " ${shown[*]} " == *" ${file//_/-} "* ]] || is "${shown[*]}" "$file, too" ||
			return 1
	done
}

lab_open
lab_basic 2 3 4
lab_attach native
check 'hosts have their addresses' addresses
check 'services are configured' configure
test_family IPv4
test_family IPv6
check 'all policies that are shipped were asked' all_were_shown
lab_clear
tap_end
