#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli_flow.sh - lbctl and living connections: flows are shown, counted and flushed;
# a backend that has some is not removed unasked; waiting ends when they end.
#
# A client and two backends stand with the balancer on one switch.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

far=$ns-far		# the switch, the client and the backends live here
service=10.0.0.10:8000/tcp
servers=() client=

# Connect $1 times to the ports $2, say so, and keep the connections until stdin ends; a line
# there ends one.
hold='
import socket, sys
ports = sys.argv[2].split(",")
kept = [socket.create_connection(("10.0.0.10", int(ports[i % len(ports)])), 10)
        for i in range(int(sys.argv[1]))]
for s in kept:
    s.sendall(b"x")
    assert s.recv(1) == b"y"
print("connected", flush=True)
while sys.stdin.readline():
    kept.pop().close()'

serve='
import socket, sys, threading
def answer(s):
    try:
        while s.recv(1):
            s.sendall(b"y")
    except OSError:
        pass
listener = socket.create_server((sys.argv[1], 8000), backlog=64)
print("listening", flush=True)
while True:
    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()'

in_far() {
	nsenter --net="/run/netns/$far" "$@"
}

start_far() {
	local i

	ip netns add "$far" || exit 1
	in_far ip link set lo up
	in_far ip link add switch type bridge
	in_far ip link set switch up
	in_ns ip link del v0
	in_ns ip link add v0 type veth peer name port netns "$far"
	in_ns ip link set v0 up
	in_ns ip addr add 10.0.0.10/24 dev v0
	in_far ip link set port master switch up
	in_far ip addr add 10.0.0.1/24 dev switch
	for i in 2 3; do
		in_far ip addr add 10.0.0.$i/24 dev switch
	done
	for i in 1 2; do
		in_far ip addr add fd00:5::$i/64 dev switch nodad
	done
	in_ns ip addr add fd00:5::10/64 dev v0 nodad
	# XDP_TX into a veth needs its other end to poll; checksums must be finished.
	in_far ip link set port xdpdrv obj "$build/tests/net/pass.bpf.o" sec xdp
	in_far ethtool -K port tx off >/dev/null
	in_far ethtool -K switch tx off >/dev/null
	in_ns ethtool -K v0 tx off >/dev/null

	for i in 2 3; do
		# No function here: $! must be the server, not a shell.
		nsenter --net="/run/netns/$far" python3 -c "$serve" 10.0.0.$i \
			>"$tmp/server$i" &
		servers+=($!)
	done
	for i in {1..50}; do
		grep -qs listening "$tmp/server2" && grep -qs listening "$tmp/server3" && break
		sleep 0.1
	done
}

# connect N [PORT,...]: hold so many connections until `hang_up`.
connect() {
	local i

	rm -f "$tmp/held" "$tmp/stop"
	mkfifo "$tmp/stop"
	nsenter --net="/run/netns/$far" python3 -c "$hold" "$1" "${2-8000}" \
		<"$tmp/stop" >"$tmp/held" 2>"$tmp/held-err" 9>&- &
	client=$!
	exec 9>"$tmp/stop"
	for i in {1..150}; do
		grep -qs connected "$tmp/held" && return 0
		sleep 0.1
	done
	return 1
}

hang_up() {
	exec 9>&-
	wait "$client" 2>/dev/null
	client=
}

# shellcheck disable=SC2317  # called by the trap
end_far() {
	exec 9>&-
	kill "${servers[@]}" ${client:+"$client"} 2>/dev/null
	wait 2>/dev/null
	ip netns del "$far" 2>/dev/null
	cleanup
}
trap end_far EXIT

start_far
lb -q chain attach v0 flows 1024
lb service add $service timeout-closing 1s timeout-closed 1s
lb backend add $service 10.0.0.2
lb backend add $service 10.0.0.3 state drain

connect 6
test_is $? "six connections through the balancer" "$(cat "$tmp/held-err"; lb; lb stats)"
prints "flow count" '^6$' lb flow count
counts "flow show has them" 6 "^$service +10\.0\.0\.1 +[0-9]+ +- +10\.0\.0\.2:8000 .*established" \
	lb flow show
counts "limit" 2 "^$service" lb flow show limit 2
prints "by state" '^6$' lb flow count state established
prints "by another state" '^0$' lb flow count state half-open
prints "by client" '^6$' lb flow count client 10.0.0.0/30
prints "by another client" '^0$' lb flow count client 10.0.0.4/30
prints "by service and backend" '^6$' lb flow count service $service backend 10.0.0.2
prints "by another backend" '^0$' lb flow count backend 10.0.0.3:8000
prints "the screen counts them" '10\.0\.0\.2:8000 +active +1 +6 ' lb
lb backend set $service 10.0.0.2 max-flows 7
counts "a backend below its max-flows is no problem" 0 'backend-full' lb
lb backend set $service 10.0.0.2 max-flows 6
prints "one that has them is" "^! $service 10\.0\.0\.2:8000  6 flows, max-flows 6: it gets no new ones" lb
prints "... for the doctor, too" "^warn +max-flows +$service +all backends are full: new flows are rejected" \
	lb doctor
lb backend set $service 10.0.0.2 max-flows off
is_json flows flow show
counts "times in JSON have no false digits" 0 '[0-9]\.[0-9]{6}' lb -j flow show
refuses 1 "in no service" flow show backend 10.0.0.99
refuses 1 "no such service" flow count service 10.0.0.99:1/tcp
refuses 2 "state 'establishd': .*did you mean 'established'" flow show state establishd
refuses 2 "client '10.0.0.0/33'" flow count client 10.0.0.0/33
refuses 2 "limit '0'" flow show limit 0
refuses 2 "say which, or 'all'" flow flush
refuses 2 "one word too many" flow flush all client 10.0.0.1

refuses 1 "10.0.0.2:8000' of $service has 6 live flows; say 'wait TIME', or 'force'" \
	backend del $service 10.0.0.2
printf '%s\n' "service add $service" "backend add $service 10.0.0.3 state drain" \
	>"$tmp/without"
refuses 1 "has 6 live flows; drain it first, or 'apply FILE force'" apply "$tmp/without"

lb backend del $service 10.0.0.2 wait 500ms >"$tmp/told" 2>"$tmp/err"
[ $? -eq 1 ] && grep -q "10.0.0.2': 6 live flows left; it stays in drain" "$tmp/err"
test_is $? "waiting in vain says how many flows are left" "$(cat "$tmp/err")"
prints "... and that none went" '^backend 10\.0\.0\.2: 6 flows left$' cat "$tmp/told"
counts "... in one line" 1 . cat "$tmp/told"
lb -j backend drain $service 10.0.0.2 wait 1ms >"$tmp/told" 2>"$tmp/err"
test_is $(($? != 1)) "so does drain"
prints "... in JSON" '^\{"flows_left":6\}$' cat "$tmp/told"
prints "and leaves the backend in drain" "10\.0\.0\.2:8000 state drain" lb save
prints "which keeps its flows" '^6$' lb flow count

(
	sleep 1
	kill "$client"
) &
does "waiting ends with the last flow" lb backend del $service 10.0.0.2 wait 20s
counts "and then the backend is gone" 0 '10\.0\.0\.2' lb save
hang_up

does "(back)" lb backend add $service 10.0.0.2
connect 3
test_is $? "three connections" "$(cat "$tmp/held-err"; lb; lb stats)"
does "flow flush" lb flow flush client 10.0.0.1
prints "ends them" '^0$' lb flow count
does "a backend without flows goes" lb backend del $service 10.0.0.2
hang_up

lb backend add $service 10.0.0.2
connect 3
test_is $? "three more connections" "$(cat "$tmp/held-err"; lb; lb stats)"
does "force removes a backend with flows" lb backend del $service 10.0.0.2 force
prints "and its flows" '^0$' lb flow count
hang_up

lb backend add $service 10.0.0.2
connect 3
test_is $? "three to a backend that goes down" "$(cat "$tmp/held-err"; lb; lb stats)"
lb backend set $service 10.0.0.2 state down
hang_up
sleep 0.3
prints "what is lost by that is a problem" '^! .* backend-down .*state active' lb
lb backend set $service 10.0.0.2 state active
counts "... no more, once it is active" 0 'backend-down' lb
lb backend del $service 10.0.0.2 force

lb backend set $service 10.0.0.3 state active
connect 3
test_is $? "three connections to the other backend" "$(cat "$tmp/held-err"; lb; lb stats)"
does "service del ends its flows at once" lb service del $service
prints "all of them" '^0$' lb flow count
hang_up

# Flows of a service of several ports are in the large table, and of IPv4 all the same.
lb service add 10.0.0.10:8001-8009/tcp
lb backend add 10.0.0.10:8001-8009/tcp 10.0.0.3:8000
connect 3 8005
test_is $? "three connections to one of several ports" "$(cat "$tmp/held-err"; lb; lb stats)"
counts "flow show says to which" 3 \
	'^10\.0\.0\.10:8001-8009/tcp +10\.0\.0\.1 +[0-9]+ +10\.0\.0\.10:8005 +10\.0\.0\.3:8000 .*established' \
	lb flow show
prints "by client" '^3$' lb flow count client 10.0.0.1
prints "by service" '^3$' lb flow count service 10.0.0.10:8001-8009/tcp
prints "by backend" '^3$' lb flow count backend 10.0.0.3:8000
prints "nothing of IPv6" '^0$' lb flow count client ::/0
refuses 1 "10.0.0.3:8000' of 10.0.0.10:8001-8009/tcp has 3 live flows" \
	backend del 10.0.0.10:8001-8009/tcp 10.0.0.3:8000
does "flow flush" lb flow flush service 10.0.0.10:8001-8009/tcp
prints "ends them, too" '^0$' lb flow count
hang_up
lb service del 10.0.0.10:8001-8009/tcp

# One datagram over IPv6: nobody listens, so the flow stays as it began.
lb service add '[fd00:5::10]:53/udp' timeout-idle 60s
lb backend add '[fd00:5::10]:53/udp' '[fd00:5::2]:5353'
in_far python3 -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("fd00:5::1", 5555))
s.sendto(b"x", ("fd00:5::10", 53))'
seconds=0
until [ "$(lb flow count)" != 0 ] || [ $((seconds++)) -eq 5 ]; do
	sleep 1
done
prints "a flow of IPv6 and UDP" \
	'^\[fd00:5::10\]:53/udp +fd00:5::1 +5555 +- +\[fd00:5::2\]:5353 .* datagram ' lb flow show
prints "by client" '^1$' lb flow count client fd00:5::/126
prints "by backend" '^1$' lb flow count backend fd00:5::2
prints "nothing of IPv4" '^0$' lb flow count client 0.0.0.0/0

# Flows that go one by one, of a host in two services.
lb flow flush all
lb service del '[fd00:5::10]:53/udp'
lb service add 10.0.0.10:8001/tcp
lb backend add 10.0.0.10:8001/tcp 10.0.0.2:8000
lb service add $service
lb backend add $service 10.0.0.2
connect 4 8000,8001
test_is $? "four connections to one host in two services" "$(cat "$tmp/held-err"; lb)"
(
	for lines in '\n' '\n' '\n\n'; do
		sleep 1.5
		printf '%b' "$lines" >&9
	done
) &
lb backend drain all 10.0.0.2 wait 30s >"$tmp/told" 2>"$tmp/err"
test_is $? "drain all waits for the flows of both" "$(cat "$tmp/err" "$tmp/told")"
grep -o '[0-9]* flow' "$tmp/told" | grep -o '[0-9]*' | paste -sd' ' >"$tmp/left"
prints "... and shows them go" '^4 3 2 (1 )?0$' cat "$tmp/left"
counts "both are in drain, whatever their ports" 2 '10\.0\.0\.2:8000 state drain' lb save
does "as a host they are active again" lb backend set all 10.0.0.2 state active
counts "... both" 0 'state drain' lb save
hang_up
does "and go" lb backend del all 10.0.0.2 wait 5s
counts "... from both" 0 '^backend' lb save
lb service del 10.0.0.10:8001/tcp

# A backend that does not exist: the screen and the doctor name it.
lb service add 10.0.0.10:8001/tcp
lb backend add 10.0.0.10:8001/tcp 10.0.0.77
in_far python3 -c '
import socket
try:
    socket.create_connection(("10.0.0.10", 8001), 7)
except OSError:
    pass'
prints "what is wrong comes first" \
	'^! 10\.0\.0\.10:8001/tcp 10\.0\.0\.77:8001  10\.0\.0\.77 does not answer on v0;' lb
prints "the doctor finds it, too" '^fail +neighbour +10\.0\.0\.77 .*does not answer' lb doctor
finish
