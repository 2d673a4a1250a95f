#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_explain.sh - what lbctl explain says beforehand is what becomes of real packets.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

service=10.0.0.10:8000/tcp

setup()
{
	lab_basic 2 3
	lab_attach native
	{
		echo "policy set hash"
		echo "service add $service"
		echo "backend add $service 10.0.0.2"
		echo "backend add $service 10.0.0.3"
	} >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf" || lab_die "cannot configure"
}

# get PORT: from that port of the client; who answered.
get()
{
	on client curl -gsS -m 5 --local-port "$1" "http://10.0.0.10:8000"
}

# explained PORT FLAGS FILTER
explained()
{
	lbctl -j explain "10.0.0.1:$1" "$service" flags "$2" | jq -r ".packets[0] | $3"
}

# The flow that there is from this port: backend, and translated port.
flow_of()
{
	lbctl -j flow show |
		jq -r ".flows[] | select(.client_port == $1) | \"\(.backend) \(.translated_port)\""
}

foretells()
{
	local port said

	for port in 40001 40002 40003 40004 40005 40006; do
		said=$(explained $port S '"\(.flow) \(.backend) \(.rewrite.source_port)"') || return 1
		get $port >"$lab_tmp/who" || return 1
		is "new $(flow_of $port)" "$said" || return 1
		[[ $said == "new 10.0.0.$(tr -d b <"$lab_tmp/who"):8000 "* ]] || return 1
	done
}

# On a connection that is there, it is found.
finds_the_flow()
{
	local port=40011 backend

	on client python3 -c '
import socket, sys, time
s = socket.create_connection(("10.0.0.10", 8000), 5, ("", int(sys.argv[1])))
print("connected", flush=True)
time.sleep(60)' $port >"$lab_tmp/held" &
	lab_pids[$!]=1
	for _ in {1..100}; do
		grep -qs connected "$lab_tmp/held" && break
		sleep 0.05
	done
	backend=$(flow_of $port)
	is "$(explained $port A '"\(.flow) \(.backend) \(.rewrite.source_port)"')" "known $backend" ||
		return 1
	is "$(explained $port A .policy)" null || return 1
	is "$(explained $port A '.next_hop.device')" eth0 || return 1
	lbctl explain "10.0.0.1:$port" "$service" flags A |
		grep -q "^parse .*: a known flow, established, to ${backend% *}$" || return 1
	# The packet that was only tried did not move it on.
	explained $port F .verdict >/dev/null
	is "$(lbctl flow count state established)" 1
}

# A packet of the flow ends nothing, if it is only tried.
ends_nothing()
{
	is "$(explained 40011 R .flow)" known || return 1
	is "$(lbctl flow count state established)" 1
}

# What was traced is what replay reads: when the instance has forgotten them, the same flows
# go to the same backends.
replays_a_trace()
{
	local traced=$lab_tmp/trace.pcapng port

	lbctl flow flush all
	rm -f "$traced"
	nsenter --net="/run/netns/$lab_id-lb" -- "$lab_build/lbctl" --pin-dir "$lab_pins" \
		trace write "$traced" 2>"$lab_tmp/trace.log" &
	lab_pids[$!]=1
	for _ in {1..100}; do
		[ ! -s "$traced" ] || break
		sleep 0.05
	done
	for port in 40021 40022 40023 40024 40025 40026 40027 40028; do
		get $port >/dev/null || return 1
	done
	sleep 1 # its file is flushed each second
	lab_end $!
	lbctl -j flow show | jq -r '.flows[].backend' | sort | uniq -c >"$lab_tmp/real"
	lbctl flow flush all
	lbctl -j replay "$traced" >"$lab_tmp/replayed" || return 1
	jq -r '.backends[] | select(.backend and .flows > 0) | "\(.flows) \(.backend)"' \
		"$lab_tmp/replayed" | sort -k2 >"$lab_tmp/foretold"
	diff -b <(sed 's/^ *//' "$lab_tmp/real") "$lab_tmp/foretold" || return 1
	jq -r '"# \(.packets) packets came, \(.packets_ours) were ours"' "$lab_tmp/replayed"
	[ "$(jq .packets_ours "$lab_tmp/replayed")" -gt 20 ]
}

lab_open
setup
check "what is said of a SYN becomes of the connection: backend and translated port" foretells
check "a flow that is there is found, and where it goes" finds_the_flow
check "a reset that is only tried ends no connection" ends_nothing
check "what was traced goes the same way when it is replayed" replays_a_trace
tap_end
