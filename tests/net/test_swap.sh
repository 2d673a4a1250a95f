#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_swap.sh - storms: every policy in turn, as fast as lbctl writes them, and backends
# that come, go, drain and change weights, under traffic over IPv4 and IPv6: nothing is
# lost, and nothing that is open moves.
#
# Traffic is connections and datagrams of client.py (datagrams are sent once: one that is
# lost is a failure), curl, one process after another, and nc on connections that last as
# long as the storm.  $SWAPS says how many swaps in all, in both modes together, with a
# change of backends for each twenty.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

SWAPS=${SWAPS:-640}
EVERY=20	# swaps for a change
ips=(10.0.0.10 fd00:5::10)
hosts=(10.0.0.10 '[fd00:5::10]')
nets=(10.0.0. fd00:5::)	# each backend's address but for its number
policies=()
total_swaps=0 total_changes=0 total_lost=0 total_moved=0

# backend FAMILY NUMBER PORT: FAMILY is 0 or 1, the index in the lists above.
backend()
{
	if [ "$1" -eq 0 ]; then
		echo "${nets[0]}$2:$3"
	else
		echo "[${nets[1]}$2]:$3"
	fi
}

configure()
{
	local family each

	for family in 0 1; do
		for each in 8000/tcp 8000/udp 9000/tcp; do
			echo "service add ${hosts[family]}:$each forward fullnat"
			echo "backend add ${hosts[family]}:$each" \
				"$(backend "$family" 2 "${each%/*}")"
			echo "backend add ${hosts[family]}:$each" \
				"$(backend "$family" 3 "${each%/*}")"
		done
	done
}

apply()
{
	configure >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf"
}

# All that are shipped but match, which is nothing without rules.
find_policies()
{
	local file

	for file in "$lab_build"/policies/*.bpf.o; do
		file=${file##*/} file=${file%.bpf.o}
		[ "$file" = match ] || policies+=("${file//_/-}")
	done
}

# ---- curl and nc -----------------------------------------------------------------------

# shellcheck disable=SC2016 # the inner shells'
# One process after another, for both families in turn; "lost" or the backend's name.
start_curl()
{
	lab_start client bash -c '
		while [ ! -e "$1/stop" ]; do
			for host in "${@:2}"; do
				curl -gsS -m 5 "http://$host:8000" || echo lost
				sleep 0.02
			done
		done' - "$lab_tmp" "${hosts[@]}"
	askers+=("$lab_pid")
}

# shellcheck disable=SC2016 # the inner shells'
# start_nc IP: ten lines a second on one connection; each must come back.
start_nc()
{
	lab_start client bash -c '
		n=0
		while [ ! -e "$1/stop" ]; do
			echo $((++n))
			sleep 0.1
		done | tee "$1/sent.$2" | nc -N -w 10 "$2" 9000 >"$1/back.$2"' - "$lab_tmp" "$1"
	askers+=("$lab_pid")
}

start_askers()
{
	local ip

	askers=()
	rm -f "$lab_tmp/stop" "$lab_tmp/client.log"
	start_curl
	for ip in "${ips[@]}"; do
		start_nc "$ip"
	done
	client_start --fresh 2 --rest 0.01 --datagrams 2 --lasting 20 --streams 10 "${ips[@]}"
}

stop_askers()
{
	local pid

	touch "$lab_tmp/stop"
	for pid in "${askers[@]}"; do
		wait "$pid"
		unset "lab_pids[$pid]"
	done
	client_stop
}

# ---- swaps and changes -----------------------------------------------------------------

# What a backend may live through, one change at a time; b4 comes and goes.
change()
{
	local family=$(($1 / 8 % 2)) service b3 b4

	service=${hosts[family]}:8000/tcp
	b3=$(backend "$family" 3 8000) b4=$(backend "$family" 4 8000)
	case $(($1 % 8)) in
	0) lbctl backend add "$service" "$b4" weight 2 ;;
	1) lbctl backend drain "$service" "$b3" ;;
	2) lbctl backend set all "$b3" weight 7 ;;
	3) lbctl backend set "$service" "$b3" state active ;;
	4) lbctl backend set all "$b3" weight 0 ;;
	5) lbctl backend set all "$b3" weight 1 ;;
	6) lbctl backend drain "$service" "$b4" ;;
	7) lbctl backend del "$service" "$b4" wait 20s >/dev/null ;;
	esac
}

# swap N: mostly of all services; of one service now and then, and back.
swap()
{
	local name=${policies[$1 % ${#policies[@]}]}

	case $(($1 % 10)) in
	4) lbctl policy set "$name" service "${hosts[$1 / 10 % 2]}:8000/tcp" ;;
	5) lbctl service set "${hosts[$1 / 10 % 2]}:8000/tcp" policy default ;;
	*) lbctl -q policy set "$name" ;;
	esac
}

generation()
{
	lbctl -j service show "${hosts[$1]}:9000/tcp" | jq '.services[0].generation'
}

# storm SWAPS: and whole rounds of changes; $swaps and $changes.
storm()
{
	local before

	before=$(generation 1) || return 1
	swaps=0 changes=0
	while [ "$swaps" -lt "$1" ] || [ $((changes % 8)) -ne 0 ]; do
		swap "$swaps" || return 1
		swaps=$((swaps + 1))
		[ $((swaps % EVERY)) -eq 0 ] || continue
		change "$changes" || return 1
		changes=$((changes + 1))
		client_phase "$swaps" || return 1
	done
	total_swaps=$((total_swaps + swaps)) total_changes=$((total_changes + changes))
	echo "# $swaps swaps among ${#policies[@]} policies, $changes changes of backends"
	# No swap but those of one other service left the generation as it was.
	[ $(($(generation 1) - before)) -ge $((swaps * 8 / 10)) ]
}

# ---- what came of it -------------------------------------------------------------------

# nc_lost IP: lines that did not come back.
nc_lost()
{
	echo $(($(wc -l <"$lab_tmp/sent.$1") - $(wc -l <"$lab_tmp/back.$1")))
}

# nc_moved IP: lines that did not come from where the first one came from.
nc_moved()
{
	awk 'NR == 1 { first = $1 } $1 != first { n++ } END { print n + 0 }' "$lab_tmp/back.$1"
}

sum_up()
{
	local ip n

	lost=$(told failures "$client_total") moved=$(told moved "$client_total")
	n=$(grep -cvx 'b[234]' "$lab_tmp/client.log")
	lost=$((lost + n))
	for ip in "${ips[@]}"; do
		lost=$((lost + $(nc_lost "$ip"))) moved=$((moved + $(nc_moved "$ip")))
	done
	total_lost=$((total_lost + lost)) total_moved=$((total_moved + moved))
}

nothing_lost()
{
	sum_up
	echo "# $client_total"
	echo "# $(wc -l <"$lab_tmp/client.log") by curl, $(cat "$lab_tmp"/back.* | wc -l) by nc"
	cat "$lab_tmp/failures"
	grep -vx 'b[234]' "$lab_tmp/client.log"
	lbctl stats
	is "$lost" 0
}

# And there was what could move.
nothing_moved()
{
	[ "$(told lasting "$client_total")" -eq 30 ] &&
		[ "$(told asked "$client_total")" -gt $((swaps / 4)) ] || return 1
	is "$moved" 0
}

# Each backend had its part, and each kind of client: none was lucky by not being there.
all_had_requests()
{
	local name ip

	for name in b2 b3 b4; do
		[ "$(told "$name" "$client_total")" -gt $((swaps / 10)) ] || return 1
	done
	for ip in "${ips[@]}"; do
		[ "$(wc -l <"$lab_tmp/back.$ip")" -gt 10 ] || return 1
	done
	[ "$(wc -l <"$lab_tmp/client.log")" -gt 20 ]
}

# Retransmissions would tell of packets lost where no request was; a busy machine may make
# some of its own.
few_retransmitted()
{
	local n

	n=$(retransmitted)
	echo "# $n"
	[ "$n" -lt $((10 + swaps / 100)) ]
}

test_mode()
{
	lab_open
	lab_basic 2 3 4
	lab_attach "$1"
	apply || lab_die 'cannot configure'
	start_askers
	check "$1: policies are swapped and backends change" storm "$2"
	stop_askers
	check "$1: nothing is lost meanwhile" nothing_lost
	check "$1: no connection or UDP flow moves to another backend" nothing_moved
	check "$1: every backend and every client had its part" all_had_requests
	check "$1: hardly a TCP segment is sent twice" few_retransmitted
}

as_many_as_wanted()
{
	echo "# swaps $total_swaps lost $total_lost moved $total_moved"
	echo "# $total_changes changes of backends"
	[ "$total_swaps" -ge "$SWAPS" ] && [ "$total_changes" -ge $((SWAPS / EVERY)) ] &&
		is "$total_lost $total_moved" '0 0'
}

find_policies
test_mode native $((SWAPS * 3 / 4))
lab_clear
test_mode skb $((SWAPS / 4))
check 'the storms were as long as wanted' as_many_as_wanted
lab_clear
tap_end
