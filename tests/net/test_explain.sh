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

lab_open
setup
check "what is said of a SYN becomes of the connection: backend and translated port" foretells
check "a flow that is there is found, and where it goes" finds_the_flow
check "a reset that is only tried ends no connection" ends_nothing
tap_end
