#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guest_chain.sh MODE... - the chain between other people's programs, in a guest.
#
# xdp-filter (priority 10) denies port 8001, lb_entry (60) balances ports 8000 and 8001,
# counter (70) counts what is left. Port 8001 is a service and denied, so that it shows
# who comes first; to 7000 and 7001 nothing but the counter objects.
set -uo pipefail
# shellcheck source=tests/vm/guest_lab.sh
. "$(dirname "$0")/guest_lab.sh"

filter_up() {
	on lb xdp-filter load -m "$mode" -f tcp,udp eth0 &&
		on lb xdp-filter port 8001
}

filter_down() {
	on lb xdp-filter unload eth0
}

chain_up() {
	lbctl chain attach eth0 mode "$mode"
}

chain_down() {
	lbctl chain detach eth0
}

counter_up() {
	on lb xdp-loader load -m "$mode" eth0 "$build/tests/vm/counter.bpf.o"
}

counter_down() {
	on lb xdp-loader unload eth0 -i "$(program_id counter)"
}

program_id() {
	on lb bpftool -j prog show | jq -r ".[] | select(.name == \"$1\") | .id"
}

# In the order in which they run.
listed() {
	on lb xdp-loader status eth0 | awk '$1 == "=>" { printf "%s%s", sep, $3; sep = " " }'
}

lists() {
	local found
	found=$(listed)
	[ "$found" = "$*" ] || {
		echo "listed: '$found', wanted: '$*'"
		on lb xdp-loader status eth0
		return 1
	}
}

# What the chain's own tool says must agree with xdp-loader.
chain_show_says() {
	local shown word
	shown=$(lbctl chain show eth0) || return 1
	for word in "$mode" "$@"; do
		grep -qw -- "$word" <<<"$shown" || {
			printf "no '%s' in:\n%s\n" "$word" "$shown"
			return 1
		}
	done
}

# counted PORT: packets to PORT that came to the counter.
counted() {
	on lb bpftool -j map lookup name counted key \
		$(($1 & 255)) $(($1 >> 8)) 0 0 | jq '.formatted.value // empty'
}

counts() {
	local found
	found=$(counted "$1")
	[ "$found" = "$2" ] || {
		echo "packets to port $1 at the counter: $found, wanted: $2"
		return 1
	}
}

# Five datagrams to where nobody listens: passed by all, so counted one by one.
passed_are_counted() {
	local before _
	before=$(counted 7001)
	for _ in 1 2 3 4 5; do
		on client bash -c 'echo x >/dev/udp/10.0.0.10/7001'
	done
	counts 7001 $((before + 5))
}

balances() {
	local url said
	for url in "http://10.0.0.10:8000" "http://[fd00::10]:8000"; do
		said=$(reach "$url") || return 1
		[[ $said == b[23] ]] || {
			echo "$url answered '$said'"
			return 1
		}
	done
}

denied() {
	local before
	before=$(counted 8001)
	# Not reached, and not refused either: dropped.
	reach "http://10.0.0.10:8001" && return 1
	[ $? -eq 28 ] && { [ -z "$before" ] || counts 8001 "$before"; }
}

# Not filtered, and balanced: the second service answers, and from a backend.
allowed() {
	[[ $(reach "http://10.0.0.10:8001") == b[23] ]]
}

services_up() {
	lbctl apply - <<-END
		service add 10.0.0.10:8000/tcp forward fullnat
		backend add 10.0.0.10:8000/tcp 10.0.0.2:8080
		backend add 10.0.0.10:8000/tcp 10.0.0.3:8080
		service add 10.0.0.10:8001/tcp forward fullnat
		backend add 10.0.0.10:8001/tcp 10.0.0.2:8080
		backend add 10.0.0.10:8001/tcp 10.0.0.3:8080
		service add [fd00::10]:8000/tcp forward fullnat
		backend add [fd00::10]:8000/tcp [fd00::2]:8080
		backend add [fd00::10]:8000/tcp [fd00::3]:8080
	END
}

# client REQUESTS: in the background; client_lost_nothing waits for it.
client() {
	report=$(mktemp)
	on client "$here/guest_client.py" 10.0.0.10 8000 "$1" >"$report" 2>&1 &
	requests=$1 client=$!
}

client_runs() {
	kill -0 "$client" 2>/dev/null
}

client_lost_nothing() {
	wait "$client"
	sed 's/^/# /' "$report"
	grep -q "^requests $requests failures 0 moved 0 " "$report"
}

swap_while_client_runs() {
	local swaps=0 policy
	while client_runs; do
		for policy in hash weighted round-robin; do
			lbctl policy set "$policy" || return 1
			swaps=$((swaps + 1))
		done
	done
	echo "# $swaps swaps"
	[ "$swaps" -ge 9 ]
}

refused() {
	reach "http://10.0.0.10:8000"
	[ $? -eq 7 ]
}

nothing_attached() {
	! on lb ip link show eth0 | grep xdp
}

attach_all() {
	check "$mode: the filter attaches" filter_up
	check "$mode: the counter attaches behind it" counter_up
	check "$mode: the chain attaches between them" chain_up
	check "$mode: xdp-loader lists filter, chain and counter in order" \
		lists xdpfilt_alw_all lb_entry counter
	check "$mode: lbctl lists them too, behind the dispatcher" \
		chain_show_says dispatcher xdpfilt_alw_all lb_entry counter
}

each_does_its_part() {
	check "$mode: IPv4 and IPv6 are balanced, from the first packet on" balances
	check "$mode: what the filter denies does not reach the chain" denied
	check "$mode: what the chain passes is counted" passed_are_counted
	check "$mode: what the chain sends is not counted" counts 8000 0
	check "$mode: what the filter denies is not counted" counts 8001 0
}

swap_under_traffic() {
	client 300
	check "$mode: policies are swapped while a client asks" swap_while_client_runs
	check "$mode: it lost no request, and its open connection did not move" \
		client_lost_nothing
}

detach_others_under_traffic() {
	client 200
	check "$mode: the filter detaches" filter_down
	check "$mode: chain and counter are left" lists lb_entry counter
	check "$mode: without the filter, what it denied is balanced" allowed
	check "$mode: without the filter, what the chain passes is counted" passed_are_counted
	check "$mode: the filter attaches again" filter_up
	check "$mode: the counter detaches" counter_down
	check "$mode: filter and chain are left" lists xdpfilt_alw_all lb_entry
	check "$mode: without the counter, the chain balances" balances
	check "$mode: without the counter, the filter denies" denied
	check "$mode: the counter attaches again" counter_up
	check "$mode: all three are back in order" lists xdpfilt_alw_all lb_entry counter
	check "$mode: meanwhile no request was lost and the open connection did not move" \
		client_lost_nothing
}

detach_chain() {
	local saved
	saved=$(mktemp)
	check "$mode: lbctl saves its state" save_to "$saved"
	check "$mode: the chain detaches" chain_down
	check "$mode: filter and counter are left" lists xdpfilt_alw_all counter
	check "$mode: without the chain, the filter denies" denied
	check "$mode: without the chain, requests come to the balancer itself" refused
	check "$mode: without the chain, they are counted" counts 8000 1
	check "$mode: the chain attaches again" chain_up
	check "$mode: lbctl applies what it saved" lbctl apply "$saved"
	check "$mode: all are at their places again" lists xdpfilt_alw_all lb_entry counter
	check "$mode: and the chain balances" balances
}

save_to() {
	lbctl save >"$1" && [ -s "$1" ]
}

detach_all() {
	check "$mode: the filter detaches last but one" filter_down
	check "$mode: the counter detaches" counter_down
	check "$mode: the chain alone goes on" balances
	check "$mode: the chain detaches last" chain_down
	check "$mode: no XDP program is left" nothing_attached
}

lab_up
for mode; do
	attach_all
	check "$mode: services are configured" services_up
	each_does_its_part
	swap_under_traffic
	detach_others_under_traffic
	detach_chain
	detach_all
done
[ "$failed" -eq 0 ]
