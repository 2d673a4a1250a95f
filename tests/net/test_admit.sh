#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_admit.sh - who else has a say beside the policy, on real connections: max-flows,
# slow start and persistence client.
#
# Each has a service of its own on its port; round-robin chooses.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/net/hold.sh
. "$(dirname "$0")/hold.sh"

SLOW=24		# s that slow start takes
AFFINITY=3	# s that a client is remembered
sources=()	# of the family in hand

endpoint()
{
	if [ "$family" = IPv4 ]; then
		echo "10.0.0.$1"
	else
		echo "[fd00:5::$1]"
	fi
}

addresses()
{
	local n

	for n in {110..129}; do
		on client ip addr add "10.0.0.$n/24" dev eth0 &&
			on client ip addr add "fd00:5::$n/64" dev eth0 nodad || return 1
	done
}

# service OPTION...: anew, with b2 and b3, which are its first, both.
service()
{
	service=$(endpoint 10):9000/tcp
	hold empty && lbctl service del "$service" force 2>/dev/null
	lbctl -b /dev/stdin <<-END
		service add $service forward fullnat $*
		backend add $service $(endpoint 2)
		backend add $service $(endpoint 3)
	END
}

# set_backend NUMBER WORD...
set_backend()
{
	local n=$1

	shift
	lbctl backend set "$service" "$(endpoint "$n")" "$@"
}

# ---- max-flows ---------------------------------------------------------------------------

one_is_full()
{
	service && set_backend 2 max-flows 5 && holds 'b2=5 b3=25 lost=0' fill 30
}

all_are_full()
{
	set_backend 3 max-flows 30 && holds 'b3=5 lost=10' fill 15 &&
		holds 'refused=10' fails && holds 'open=35 moved=0 lost=0' round
}

says_so()
{
	lbctl | tee "$lab_tmp/status"
	grep -E "^! .*10.*9000/tcp.*(full|max-flows)" "$lab_tmp/status"
}

room_again()
{
	holds closed leave b2 2 && sleep 1 && holds 'b2=2 lost=1' fill 3
}

# Of a policy that would always say the same, too.
other_policy()
{
	service policy hash && set_backend 2 max-flows 3 && holds 'b2=3 b3=27 lost=0' fill 30
}

# ---- slow start --------------------------------------------------------------------------

# The first ones of a service have nobody to leave their flows to.
first_ones_at_once()
{
	local b2

	service slow-start "${SLOW}s" && hold spread 40 && echo "# $held" || return 1
	b2=$(told b2 "$held")
	is "$(told lost "$held")" 0 && [ "$b2" -ge 18 ] && [ "$b2" -le 22 ]
}

now_ms()
{
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# expected AGE: of 120 connections, when b4 takes those that it is offered with
# the probability p = AGE / SLOW: round-robin makes 2 + p connections in three turns.
expected()
{
	local age=$1 slow=$((SLOW * 1000))

	[ "$age" -gt 0 ] || age=0
	[ "$age" -lt "$slow" ] || age=$slow
	echo $((120 * age / (2 * slow + age)))
}

# Share of b4 against that of its age: five standard deviations, and a second for what
# passes meanwhile.
slow_share()
{
	local age later b4 low high

	age=$(($(now_ms) - joined))
	hold spread 120 "${sources[@]}" || return 1
	later=$(($(now_ms) - joined))
	b4=$(told b4 "$held")
	low=$(($(expected $((age - 1000))) - 16))
	high=$(($(expected $((later + 1000))) + 16))
	echo "# after $age ms: $held, b4 from $low to $high"
	is "$(told lost "$held")" 0 && [ "$b4" -ge "$low" ] && [ "$b4" -le "$high" ]
}

ramps_up()
{
	lbctl backend add "$service" "$(endpoint 4)" || return 1
	joined=$(now_ms)
	slow_share || return 1
	for _ in 1 2 3; do
		sleep $((SLOW / 4))
		slow_share || return 1
	done
	sleep $((SLOW / 4 + 1))
	hold spread 120 "${sources[@]}" || return 1
	echo "# at the end: $held"
	[ "$(told b4 "$held")" -ge 36 ] && [ "$(told b4 "$held")" -le 44 ]
}

# ---- persistence client ------------------------------------------------------------------

# visit: each address once; the backends in $seen.
visit()
{
	local source

	seen=()
	for source in "${sources[@]}"; do
		hold open "$source" "$source" || return 1
		seen+=("$held")
		hold close "$source" || return 1
	done
	echo "# ${seen[*]}"
}

comes_back()
{
	local first

	service persistence client "${AFFINITY}s" && visit || return 1
	first="${seen[*]}"
	[[ $first == *b2* && $first == *b3* ]] || return 1
	for _ in 1 2 3; do
		visit && is "${seen[*]}" "$first" || return 1
	done
}

# To remember is no promise to a backend that takes nothing new.
not_to_drain()
{
	local before

	visit || return 1
	before="${seen[*]}"
	set_backend 2 state drain && visit && is "${seen[*]}" "${before//b2/b3}"
}

# And it is b3 that they know now, as long as they come often enough; b3 they lose by its
# weight only.
knows_the_new_one()
{
	local n

	set_backend 2 state active || return 1
	for ((n = 0; n < 2 * AFFINITY; n++)); do
		visit && [[ ${seen[*]} != *b2* ]] || return 1
		sleep 0.9
	done
}

forgets()
{
	sleep $((AFFINITY + 2))
	visit && [[ ${seen[*]} == *b2* ]]
}

# ------------------------------------------------------------------------------------------

test_family()
{
	local ip

	family=$1 ip=$(endpoint 10)
	ip=${ip//[][]/}
	mapfile -t sources < <(printf "${ip%10}%d\n" {110..129})
	hold_start "$ip" 9000
	check "$family: a backend gets no more than its max-flows" one_is_full
	check "$family: when all are full, clients are refused, and what is open stays" \
		all_are_full
	check "$family: lbctl says that they are full" says_so
	check "$family: what leaves makes room" room_again
	check "$family: max-flows holds with a policy that answers the same again" \
		other_policy
	check "$family: a service's first backends start at once" first_ones_at_once
	check "$family: one that joins starts slowly" ramps_up
	check "$family: a client comes back to its backend" comes_back
	check "$family: but not to one that is drained" not_to_drain
	check "$family: and stays with the new one" knows_the_new_one
	check "$family: until it is forgotten" forgets
	hold_stop
}

lab_open
lab_basic 2 3 4
lab_attach native
check 'the client has many addresses' addresses
test_family IPv4
test_family IPv6
lab_clear
tap_end
