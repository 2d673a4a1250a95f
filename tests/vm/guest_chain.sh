#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest_chain.sh MODE... - the chain between other people's programs, in a guest.
#
# xdp-filter (priority 10) denies port 8001, lb_entry (60) balances ports 8000 and 8001,
# counter (70) counts what is left. Port 8001 is a service and denied, so that it shows
# who comes first; to port 7001 nobody but the counter objects. Backends listen at another
# port than services: what the chain passes up translated, for the kernel to find the next
# hop, does not look like what the client sent.  And services do not translate to port 8001:
# the filter denies it to replies, too.
set -uo pipefail
# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../net/lab.sh"
# shellcheck source=tests/vm/programs.sh
. "$(dirname "$0")/programs.sh"
failed=0
policies=()

# check NAME COMMAND...: one test. What the command says is shown if it fails, but
# comments always.
check()
{
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		echo "ok - $mode: $name"
		grep '^# ' <<<"$said"
		return
	fi
	failed=$((failed + 1))
	echo "not ok - $mode: $name"
	echo "# $*"
	tail -n 30 <<<"$said" | sed 's/^/# /'
}

# ---- what each does ----------------------------------------------------------

reach()
{
	on client curl -gsS --connect-timeout 2 -m 6 "$@"
}

# balances URL...: a backend answers.
balances()
{
	local url said

	for url; do
		said=$(reach "$url") || return 1
		[[ $said == b[23] ]] || {
			echo "$url answered '$said'"
			return 1
		}
	done
}

# counted PORT: packets to PORT that came to the counter.
counted()
{
	bpftool -j map lookup name counted key $(($1 & 255)) $(($1 >> 8)) 0 0 |
		jq '.formatted.value'
}

counts()
{
	local found

	found=$(counted "$1")
	[ "$found" = "$2" ] || {
		echo "packets to port $1 at the counter: $found, wanted: $2"
		return 1
	}
}

# Five datagrams to where nobody listens: passed by all, so counted one by one.
passed_are_counted()
{
	local before

	before=$(counted 7001)
	# shellcheck disable=SC2016 # $_ is the inner shell's
	on client bash -c 'for _ in 1 2 3 4 5; do echo >/dev/udp/10.0.0.10/7001; done'
	sleep 0.5
	counts 7001 $((before + 5))
}

# Not answered and not refused (7): dropped (28).
denied()
{
	reach http://10.0.0.10:8001
	[ $? -eq 28 ]
}

refused()
{
	reach http://10.0.0.10:8000
	[ $? -eq 7 ]
}

# The filter sees replies first: to a port that it denies they do not come.
denies_replies()
{
	local port status

	for port in 8001 8002; do
		lbctl service set 10.0.0.10:8000/udp ports "$port-$port" || return 1
		on client timeout 6 "$lab_python" "$lab_top/tests/net/datagrams.py" 10.0.0.10 8000
		status=$?
		[ "$port $status" = '8001 124' ] || [ "$port $status" = '8002 0' ] || {
			echo "a datagram to the service, translated to port $port: exit status $status"
			return 1
		}
	done
	lbctl service set 10.0.0.10:8000/udp ports 20000-29999
}

services_up()
{
	local ports='ports 20000-29999'

	lbctl apply - <<-END
		service add 10.0.0.10:8000/tcp forward fullnat $ports
		backend add 10.0.0.10:8000/tcp 10.0.0.2:8080
		backend add 10.0.0.10:8000/tcp 10.0.0.3:8080
		service add 10.0.0.10:8000/udp forward fullnat $ports
		backend add 10.0.0.10:8000/udp 10.0.0.2:8080
		backend add 10.0.0.10:8000/udp 10.0.0.3:8080
		service add 10.0.0.10:8001/tcp forward fullnat $ports
		backend add 10.0.0.10:8001/tcp 10.0.0.2:8080
		backend add 10.0.0.10:8001/tcp 10.0.0.3:8080
		service add [fd00:5::10]:8000/tcp forward fullnat $ports
		backend add [fd00:5::10]:8000/tcp [fd00:5::2]:8080
		backend add [fd00:5::10]:8000/tcp [fd00:5::3]:8080
		service add [fd00:5::10]:8000/udp forward fullnat $ports
		backend add [fd00:5::10]:8000/udp [fd00:5::2]:8080
		backend add [fd00:5::10]:8000/udp [fd00:5::3]:8080
	END
}

save_to()
{
	lbctl save >"$1" && [ -s "$1" ]
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

# swap TIMES
swap()
{
	local n

	for ((n = 0; n < $1; n++)); do
		lbctl policy set "${policies[n % ${#policies[@]}]}" || return 1
	done
}

# What a backend lives through between swaps.
swap_and_change()
{
	local b3=10.0.0.3:8080

	swap "$1" && lbctl backend drain all "$b3" && swap "$1" &&
		lbctl backend set all "$b3" state active weight 5 && swap "$1" &&
		lbctl backend set all "$b3" weight 1 && swap "$1"
}

# ask REQUESTS: with a rest between them, so that lbctl comes to its turn on one CPU.
ask()
{
	client_start --fresh 1 --rest 0.05 --datagrams 1 --lasting 2 --streams 2 --requests "$1" \
		10.0.0.10 fd00:5::10
}

# lost_nothing REQUESTS [SWAPS]
lost_nothing()
{
	echo "# $client_total"
	[ $# -eq 1 ] || echo "# swaps $2 lost $(told failures "$client_total")" \
		"moved $(told moved "$client_total")"
	[ "$(told requests "$client_total")" -ge "$1" ] &&
		[ "$(told asked "$client_total")" -gt 0 ] &&
		[[ $client_total == *" failures=0 "*" lasting=4 "*" moved=0" ]] && return
	cat "$lab_tmp/failures"
	lbctl stats
	return 1
}

# finds REGEX...: 'lbctl doctor' has a line like each of these.
finds()
{
	local shown line

	shown=$(lbctl doctor)
	for line; do
		grep -qE -- "$line" <<<"$shown" || {
			printf "no '%s' in:\n%s\n" "$line" "$shown"
			return 1
		}
	done
}

# The system's tools must not harm what they cannot change.
tools_refuse()
{
	! on lb xdp-filter unload eth0 &&
		! on lb xdp-loader load -m "$mode" eth0 "$lab_build/tests/net/pass.bpf.o" &&
		lists xdpfilt_alw_all lb_entry counter && balances http://10.0.0.10:8000
}

# A service of ports that the filter denies, some or all.
finds_denied_ports()
{
	local udp=10.0.0.10:8000/udp

	lbctl service set "$udp" ports 8001-8002 &&
		finds "^warn +ports +$udp +xdp-filter denies 1 of its 2 .* port 8001 first" &&
		lbctl service set "$udp" ports 8001-8001 &&
		finds "^fail +ports +$udp +xdp-filter denies 1 of its 1 " &&
		lbctl service set "$udp" ports 20000-29999 &&
		finds "^ok +ports +$udp +xdp-filter denies none of 20000-29999"
}

# ---- what is to be shown -----------------------------------------------------

attach_all()
{
	check "the filter attaches" filter_up
	check "the counter attaches behind it" counter_up
	check "the chain attaches between them" chain_up
	check "xdp-loader lists filter, chain and counter in order" \
		lists xdpfilt_alw_all lb_entry counter
	check "'lbctl chain show' lists them too, behind the dispatcher" \
		says "chain show eth0" dispatcher "$mode" xdpfilt_alw_all lb_entry counter
	check "'lbctl' says that it is behind the dispatcher" says "" dispatcher "$mode"
	check "services are configured" services_up
	check "'lbctl doctor' says who is beside the chain" finds \
		'^ok +attached +eth0 +behind the dispatcher' \
		'^ok +program +eth0 +xdpfilt_alw_all .* runs before the chain' \
		'^ok +program +eth0 +counter .* runs after the chain'
	has_own_dispatcher || return
	check "the system's tools refuse to change lbctl's dispatcher, and harm nothing" \
		tools_refuse
}

each_does_its_part()
{
	check "IPv4 and IPv6 are balanced, from the first packet on" \
		balances http://10.0.0.10:8000 'http://[fd00:5::10]:8000'
	check "what the filter denies does not reach the chain" denied
	check "what the filter denies is denied to replies, too" denies_replies
	check "'lbctl doctor' says which services that is bad for" finds_denied_ports
	check "what the chain passes is counted" passed_are_counted
	check "what the chain sends is not counted" counts 8000 0
	check "what the filter denies is not counted" counts 8001 0
}

# A few hundred requests: an emulated second is short, and thousands under thousands of
# swaps are asked on the host, by tests/net.  In skb mode each policy has one turn.
swap_under_traffic()
{
	local n=${#policies[@]} how=swap

	[ "$mode" = skb ] || how=swap_and_change
	ask 200
	check "all policies have their turn while a client asks" "$how" "$n"
	client_stop
	[ "$mode" = skb ] || n=$((4 * n))
	check "it lost no request, and its open connections did not move" \
		lost_nothing 200 "$n"
}

detach_others_under_traffic()
{
	ask 100
	check "the filter detaches" filter_down
	check "chain and counter are left" lists lb_entry counter
	check "without the filter, what it denied is balanced" \
		balances http://10.0.0.10:8001
	check "without the filter, what the chain passes is counted" passed_are_counted
	check "the filter attaches again" filter_up
	check "the counter detaches" counter_down
	check "filter and chain are left" lists xdpfilt_alw_all lb_entry
	check "without the counter, the chain balances" balances http://10.0.0.10:8000
	check "without the counter, the filter denies" denied
	check "the counter attaches again" counter_up
	check "all three are back in order" lists xdpfilt_alw_all lb_entry counter
	client_stop
	check "meanwhile no request was lost, and no open connection moved" \
		lost_nothing 100
}

detach_chain()
{
	check "lbctl saves its state" save_to "$lab_tmp/saved"
	check "the chain detaches" chain_down
	check "filter and counter are left" lists xdpfilt_alw_all counter
	check "without the chain, the filter denies" denied
	check "without the chain, the balancer itself refuses requests" refused
	check "without the chain, they are counted" counts 8000 1
	check "the chain attaches again" chain_up
	check "lbctl applies what it saved" lbctl apply "$lab_tmp/saved"
	check "all are at their places again" lists xdpfilt_alw_all lb_entry counter
	check "and the chain balances" balances http://10.0.0.10:8000
}

detach_all()
{
	check "the filter detaches" filter_down
	check "the counter detaches" counter_down
	check "the chain goes on without them" balances http://10.0.0.10:8000
	check "the chain detaches" chain_down
	check "no XDP program is left" nothing_attached
	rm -rf "$filter_maps" # its own tool is not there to remove it if lbctl unloaded it
}

find_policies
lab_open
lab_host client 1
lab_host lb 10
for number in 2 3; do
	lab_host "b$number" "$number"
	lab_backend "b$number" 8080
done
lab_peer_program
# libxdp rebuilds its dispatcher in the same way in both modes: the long part once.
for mode; do
	attach_all
	each_does_its_part
	swap_under_traffic
	if [ "$mode" = native ]; then
		detach_others_under_traffic
		detach_chain
	fi
	detach_all
done
[ "$failed" -eq 0 ]
