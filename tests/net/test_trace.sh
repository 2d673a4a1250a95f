#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_trace.sh - lbctl trace while real packets come: what it prints, what it writes for
# tshark, and that nothing is left on however it ends.
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
		echo "service add $service"
		echo "backend add $service 10.0.0.2"
		echo "backend add $service 10.0.0.3"
		echo "service add 10.0.0.10:7/udp on-empty drop"
	} >"$lab_tmp/lb.conf"
	lbctl -b "$lab_tmp/lb.conf" || lab_die "cannot configure"
	get >/dev/null || lab_die "no answer through the balancer"
}

get()
{
	on client curl -gsS -m 5 "http://10.0.0.10:8000"
}

# datagrams PORT N [LENGTH]: without a pause.
datagrams()
{
	on client python3 -c '
import socket, sys
port, n, length = map(int, sys.argv[1:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(n):
    s.sendto(b"x" * length, ("10.0.0.10", port))' "$1" "$2" "${3:-4}"
}

# ---- a trace in the background -----------------------------------------------------

# trace_start WORD...: what it prints is in $traced, its pid in $trace_pid; it is on.
trace_start()
{
	local _

	traced=$lab_tmp/traced
	trace_file=
	[[ " $* " != *' write '* ]] || trace_file=$lab_tmp/trace.pcapng
	rm -f "$traced" "$lab_tmp/trace.pcapng"
	# No function here: $! must be lbctl, not a shell.
	nsenter --net="/run/netns/$lab_id-lb" -- "$lab_build/lbctl" --pin-dir "$lab_pins" \
		trace "$@" >"$traced" 2>"$traced.err" &
	trace_pid=$!
	lab_pids[$trace_pid]=1
	for _ in {1..100}; do
		[ ! -s "${trace_file:-$traced}" ] || return 0
		sleep 0.05
	done
	cat "$traced.err"
	return 1
}

# trace_end [SIGNAL]: its exit status is in $trace_status.
trace_end()
{
	[ -z "${1-}" ] || kill "-$1" "$trace_pid"
	wait "$trace_pid"
	trace_status=$?
	unset "lab_pids[$trace_pid]"
}

# The last events are written within moments; then it is ended.
trace_stop()
{
	sleep 0.5
	trace_end TERM
	is "$trace_status" 0
}

# lines REGEX: how many lines of the trace match.
lines()
{
	grep -cE -- "$1" "$traced"
}

# How many bytes of lb_switches.trace are not 0.
switch()
{
	bpftool -j map lookup pinned "$lab_pins/maps/lb_switches" key 0 0 0 0 |
		jq '[.value[4:8][] | select(. != "0x00")] | length'
}

# ---- what it prints -----------------------------------------------------------------

columns()
{
	trace_start && get >/dev/null && on client ping -qc 1 -W 1 10.0.0.10 >/dev/null &&
		on client ping -qc 1 -W 1 fd00:5::10 >/dev/null &&
		datagrams 7 1 && trace_stop || return 1
	cat "$traced"
	[ "$(lines '^[0-9:.]{15}  eth0 .* 10\.0\.0\.1:[0-9]+ +10\.0\.0\.10:8000 +tcp +rewrite +tx +(known-flow|refresh) +10\.0\.0\.10:8000/tcp +10\.0\.0\.[23]:8000$')" -ge 3 ] &&
		[ "$(lines ' 10\.0\.0\.[23]:8000 +10\.0\.0\.10:[0-9]+ +tcp +rewrite +tx +reply ')" -ge 3 ] &&
		[ "$(lines ' 10\.0\.0\.1 +10\.0\.0\.10 +icmp +parse +pass +not-ours +- +-$')" -eq 1 ] &&
		[ "$(lines ' fd00:5::1 +fd00:5::10 +icmp6 +parse +pass +not-ours +- +-$')" -ge 1 ] &&
		[ "$(lines ' 10\.0\.0\.1:[0-9]+ +10\.0\.0\.10:7 +udp +parse +drop +no-backend-drop +10\.0\.0\.10:7/udp +-$')" -eq 1 ]
}

filtered()
{
	local wanted=$1 _

	shift
	trace_start "$@" || return 1
	# Both backends are asked, although each CPU has a turn of its own.
	for _ in {1..4}; do
		get >/dev/null || return 1
	done
	datagrams 7 1 && trace_stop || return 1
	cat "$traced"
	[ "$(lines "$wanted")" -ge 1 ] &&
		is "$(lines "$wanted")" "$(($(wc -l <"$traced") - 1))"
}

sampled()
{
	trace_start service 10.0.0.10:7/udp sample 10 && datagrams 7 200 && trace_stop ||
		return 1
	# Each CPU counts for itself.
	local n
	n=$(($(wc -l <"$traced") - 1))
	echo "# $n of 200"
	[ "$n" -ge 19 ] && [ "$n" -le 22 ]
}

limited()
{
	trace_start service 10.0.0.10:7/udp limit 3 && datagrams 7 10
	trace_end
	is "$trace_status $(wc -l <"$traced")" '0 4'
}

json_lines()
{
	(
		sleep 1
		get >/dev/null
		datagrams 7 1
	) &
	lbctl -j trace limit 8 client 10.0.0.1 >"$lab_tmp/json" || return 1
	wait $!
	cat "$lab_tmp/json"
	is "$(jq -c 'select(.abi == 4 and .device == "eth0" and .source and .length_in > 0
			and (.time_unix_ns / 1e9 - now | fabs) < 60)' <"$lab_tmp/json" | wc -l)" 8 &&
		is "$(jq -r 'select(.flow == "new") | [.service, .direction,
			.tcp_flags, .destination, .destination_port] | join(" ")' \
			<"$lab_tmp/json" | head -1)" "$service to-backend 2 10.0.0.10 8000"
}

# ---- what it writes -----------------------------------------------------------------

written()
{
	trace_start write "$lab_tmp/trace.pcapng" && get >/dev/null && datagrams 7 1 100 &&
		trace_stop && is "$(cat "$traced")" '' &&
		grep -qE "trace.pcapng: [0-9]+ packets" "$traced.err"
}

fields()
{
	tshark -r "$lab_tmp/trace.pcapng" -n "$@" 2>/dev/null
}

read_by_tshark()
{
	capinfos -M "$lab_tmp/trace.pcapng" || return 1
	fields -T fields -e frame.interface_name -e ip.src -e ip.dst -e frame.comment
	# Each request came in from the client, and left from the balancer.
	[ "$(fields -Y 'frame.interface_name == "eth0" && ip.src == 10.0.0.1 && tcp.dstport == 8000 && frame.comment matches "^tx: .*service 10.0.0.10:8000/tcp, backend 10.0.0.[23]:8000"' | wc -l)" -ge 3 ] &&
		[ "$(fields -Y 'frame.interface_name == "eth0 (out)" && ip.src == 10.0.0.10 && (ip.dst == 10.0.0.2 || ip.dst == 10.0.0.3)' | wc -l)" -ge 3 ] &&
		[ "$(fields -Y 'frame.interface_name == "eth0 (out)" && ip.dst == 10.0.0.1 && tcp.srcport == 8000' | wc -l)" -ge 3 ] &&
		is "$(fields -Y 'udp.dstport == 7 && frame.comment matches "^drop: no-backend-drop" && frame.len == 142' | wc -l)" 1
}

# What was sent is right to the last bit, as the backend got it.
right_checksums()
{
	is "$(fields -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-Y 'frame.cap_len == frame.len && (ip.checksum.status == 0 || tcp.checksum.status == 0)' |
		wc -l)" 0
}

read_by_tcpdump()
{
	is "$(tcpdump -nr "$lab_tmp/trace.pcapng" 2>/dev/null | wc -l)" "$(fields | wc -l)"
}

cut_short()
{
	trace_start service 10.0.0.10:7/udp write "$lab_tmp/trace.pcapng" snap 60 limit 1 &&
		datagrams 7 1 500
	trace_end
	is "$(fields -T fields -e frame.len -e frame.cap_len)" $'542\t60'
}

# ---- how it ends --------------------------------------------------------------------

ends_by()
{
	trace_start && trace_end "$1" && is "$trace_status $(switch)" '0 0'
}

# Killed, it leaves the switch on; the first packet after the lease switches it off.
killed()
{
	trace_start && trace_end KILL || return 1
	[ "$(switch)" != 0 ] || return 1
	datagrams 9 1
	[ "$(switch)" != 0 ] || return 1
	sleep 5.5
	datagrams 9 1
	is "$(switch)" 0
}

# What the killed one left in the ring is not told.
after_it()
{
	trace_start reason no-backend-drop && datagrams 7 2 && trace_stop || return 1
	is "$(lines .)" 3
}

refused()
{
	local first said

	trace_start || return 1
	first=$trace_pid
	said=$(lbctl trace limit 1 write "$lab_tmp/other.pcapng" 2>&1)
	is "$? $said" "1 lbctl: $lab_pins: pid $first is tracing already; end that one first" &&
		[ ! -e "$lab_tmp/other.pcapng" ] && trace_end TERM && is "$trace_status" 0
}

changes_go_on()
{
	trace_start && lbctl backend set $service 10.0.0.2 weight 7 &&
		lbctl backend set $service 10.0.0.2 weight 1 && trace_stop
}

# More than the ring holds while nobody reads it.
counts_lost()
{
	trace_start service 10.0.0.10:7/udp || return 1
	kill -STOP "$trace_pid"
	datagrams 7 15000
	kill -CONT "$trace_pid"
	trace_stop || return 1
	local told n
	told=$(sed -nE 's/.*trace: ([0-9]+) packets were not told of.*/\1/p' "$traced.err" | tail -1)
	n=$(($(wc -l <"$traced") - 1))
	echo "# $n told, ${told:-none} lost"
	is "$((n + ${told:-0}))" 15000 && [ "$n" -gt 5000 ]
}

instance_gone()
{
	trace_start && lbctl clear || return 1
	trace_end
	is "$trace_status" 1 && grep -q 'the instance is gone' "$traced.err"
}

wrong_words()
{
	local words regex said

	while IFS='|' read -r words regex; do
		# shellcheck disable=SC2086
		said=$(lbctl trace $words 2>&1) && return 1
		[[ $said =~ $regex ]] && [ "$(wc -l <<<"$said")" -eq 1 ] && continue
		echo "trace $words: $said"
		return 1
	done <<-'END'
		reason known-flo|did you mean 'known-flow'
		service 10.0.0.99:1/tcp|no such service
		backend 10.0.0.99|in no service
		client 10.0.0.0/33|client '10.0.0.0/33'
		state establishd|did you mean 'established'
		sample 0|sample '0': not a number from 1
		snap 5 write /dev/null|snap '5': not a number from 14 to 2048
		snap 100|name a file with 'write'
		write /nonexistent/x.pcapng|/nonexistent/x.pcapng: cannot be written: No such file
		sampel 3|did you mean 'sample'
	END
	is "$(switch)" 0
}

lab_open
setup
check "a line for each packet: pass, drop and tx" columns
check "only of a service" filtered ' 10\.0\.0\.10:7/udp ' service 10.0.0.10:7/udp
check "only for a reason" filtered ' no-backend-drop ' reason no-backend-drop
check "only of a client, with its replies" filtered ' (10\.0\.0\.1:|reply )' client 10.0.0.1
check "only of a backend" filtered ' 10\.0\.0\.2:8000$' backend 10.0.0.2
check "... and port" filtered ' 10\.0\.0\.3:8000$' backend 10.0.0.3:8000
check "only of flows in a state" filtered ' (known-flow|reply|refresh) ' state established
check "of a tenth of them" sampled
check "limit ends it" limited
check "JSON lines" json_lines
check "a file instead of lines" written
check "tshark reads it: in and out, with the decision" read_by_tshark
check "and finds no wrong checksum" right_checksums
check "tcpdump reads it" read_by_tcpdump
check "snap" cut_short
check "SIGINT ends it, and nothing is on" ends_by INT
check "SIGTERM does" ends_by TERM
check "kill -9: it is off by itself after the lease" killed
check "the next one begins with its own packets" after_it
check "a second one is refused and told whose pid it is" refused
check "it keeps nobody from changing something" changes_go_on
check "what is lost is counted" counts_lost
check "words that make no trace" wrong_words
check "it ends with the instance" instance_gone
tap_end
