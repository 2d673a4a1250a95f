#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_admission.sh - what is said of new flows: persistence client, slow-start,
# on-unknown, grace; priority and max-flows of backends.  Told, shown, saved, applied.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

service=10.0.0.10:80/tcp

# json FILTER: what python makes of the first service.
# shellcheck disable=SC2317  # prints calls it
json() {
	lb -j service show "$service" | python3 -c '
import json, sys
s = json.load(sys.stdin)["services"][0]
b = s["backends"]
print('"$1"')'
}

told() {
	does "attach" lb -q chain attach v0
	does "a service of all words" lb service add "$service" persistence client 10m \
		slow-start 90 on-unknown select grace 5m
	does "a backend of all words" lb backend add "$service" 10.0.0.2:8080 weight 3 \
		priority 1 max-flows 100
	does "another" lb backend add "$service" 10.0.0.3:8080
	saved "save has them" <<-EOF
		chain attach v0
		service add $service forward fullnat persistence client 10m on-unknown select grace 5m slow-start 90s
		backend add $service 10.0.0.2:8080 weight 3 priority 1 max-flows 100
		backend add $service 10.0.0.3:8080
	EOF
	lb save >"$tmp/lb.conf"
	does "apply of save" lb apply "$tmp/lb.conf"
	counts "... changes nothing" 0 . lb apply "$tmp/lb.conf" dry-run
	prints "JSON has the service's" "^client 600000 select 300000 90000$" \
		json 's["persistence"], s["persistence_ms"], s["on_unknown"], s["grace_ms"], s["slow_start_ms"]'
	prints "... and the backends'" "^1 100 0 None$" \
		json 'b[0]["priority"], b[0]["max_flows"], b[1]["priority"], b[1]["max_flows"]'
	prints "backend show has the columns that somebody needs" \
		'WEIGHT +PRIORITY +FLOWS +OF' lb backend show
	prints "... with what they say" '10\.0\.0\.2:8080 +active +3 +1 +0 +100 ' lb backend show
	prints "the doctor says what has no effect" \
		"^warn +priority +$service +policy round-robin does not look at its backends' priorities" \
		lb doctor
	prints "... and which backends are full" "^ok +max-flows +$service +0 of 1 backends" lb doctor
	does "where it has one" lb policy set primary-standby
	counts "... it says nothing" 0 '^warn +priority' lb doctor
	does "(back)" lb policy set round-robin
}

changed() {
	does "set changes them" lb service set "$service" persistence client on-unknown reset \
		grace off slow-start off
	does "of backends, too" lb backend set "$service" 10.0.0.2:8080 max-flows off priority 0
	saved "save leaves out what is usual" <<-EOF
		chain attach v0
		service add $service forward fullnat persistence client 5m on-unknown reset grace off
		backend add $service 10.0.0.2:8080 weight 3
		backend add $service 10.0.0.3:8080
	EOF
	prints "backend show has no column that nobody needs" 'WEIGHT +FLOWS +PACKETS' \
		lb backend show
	prints "the difference is said" \
		"^service set $service persistence client 5m -> client 10m on-unknown reset -> select grace off -> 5m slow-start off -> 90s$" \
		lb apply "$tmp/lb.conf" dry-run
	prints "... of backends, too" \
		"^backend set $service 10\.0\.0\.2:8080 priority 0 -> 1 max-flows off -> 100$" \
		lb apply "$tmp/lb.conf" dry-run
	does "replace puts all back" lb service replace "$service"
	prints "JSON has what is usual" "^flow None auto 900000 None$" \
		json 's["persistence"], s["persistence_ms"], s["on_unknown"], s["grace_ms"], s["slow_start_ms"]'
	does "apply brings it back" lb apply "$tmp/lb.conf"
	saved "... all of it" <"$tmp/lb.conf"
}

refused() {
	refuses 2 "persistence client '1w': not a time from 1ms to 7d" \
		service set "$service" persistence client 1w
	refuses 2 "persistence 'clint': .*did you mean 'client'" \
		service set "$service" persistence clint
	refuses 2 "on-unknown 'rst': .*did you mean 'reset'" service set "$service" on-unknown rst
	refuses 2 "grace '30d': not a time up to 7d" service set "$service" grace 30d
	refuses 2 "slow-start '-1': not a time" service set "$service" slow-start -1
	refuses 2 "max-flows '-1': not a number from 1" backend set "$service" 10.0.0.2 max-flows -1
	refuses 2 "priority 'high': not a number" backend set "$service" 10.0.0.2 priority high
	refuses 1 "persistence cannot change from client to none while it is there" \
		service set "$service" persistence none
	refuses 1 "grace: only TCP" service add 10.0.0.10:53/udp grace 9
	refuses 1 "policy .match. decides for each packet" service set "$service" policy match
	refuses_file "^$tmp/file:2: backend '10.0.0.4:53': max-flows: with persistence none" <<-EOF
		service add 10.0.0.10:53/udp persistence none
		backend add 10.0.0.10:53/udp 10.0.0.4 max-flows 7
	EOF
}

told
changed
refused
finish
