#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_kill.sh - lbctl dies by kill -9 at any moment, again and again: traffic goes on,
# and the next lbctl reads what is there and completes it.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

KILLS=150
longest=	# ms that it may live, by chance less
service=10.0.0.10:8000/tcp
other=10.0.0.10:8100/tcp

# killed ARGUMENTS...: lbctl, dead after a random time.  True if it had not ended itself.
killed()
{
	local status

	lab_start lb "$lab_build/lbctl" --pin-dir "$lab_pins" "$@"
	sleep "0.$(printf %03d $((RANDOM % longest)))"
	kill -KILL "$lab_pid" 2>/dev/null
	wait "$lab_pid" 2>/dev/null
	status=$?
	unset "lab_pids[$lab_pid]"
	[ "$status" -eq 137 ]
}

# takes ARGUMENTS...: sets $longest to double of what lbctl takes for them, so that its
# deaths are spread over all that it does, also when the machine is busy.
takes()
{
	local begin=${EPOCHREALTIME/./}

	lbctl -q "$@" || return 1
	longest=$(((${EPOCHREALTIME/./} - begin) / 500))
	[ "$longest" -lt 1000 ] || longest=999
	echo "# $*: $((longest / 2)) ms"
}

# One of many changes; none of them may disturb a flow of $service.
kill_change()
{
	case $(($1 % 9)) in
	0) killed policy set hash ;;
	1) killed backend add "$service" 10.0.0.4:8000 weight 3 ;;
	2) killed policy set weighted ;;
	3) killed backend set "$service" 10.0.0.2:8000 weight $((RANDOM % 9 + 1)) ;;
	4) killed -b "$lab_tmp/other.conf" ;;
	5) killed policy set round-robin ;;
	6) killed backend drain "$service" 10.0.0.4:8000 ;;
	7) killed service del "$other" ;;
	8) killed backend set "$service" 10.0.0.4:8000 state active ;;
	esac
}

many_die()
{
	local i died=0 least=999

	# The quickest of a few: one that was slow by chance would have nearly all end first.
	for i in 2 3 4 2; do
		takes backend set "$service" 10.0.0.2:8000 weight "$i" || return 1
		[ "$longest" -ge "$least" ] || least=$longest
	done
	longest=$least
	for ((i = 0; i < KILLS; i++)); do
		kill_change "$i" && died=$((died + 1))
	done
	echo "# $died of $KILLS died at work"
	# Neither all before they began, nor all after they ended.
	[ "$died" -ge $((KILLS / 4)) ] && [ "$died" -lt "$KILLS" ]
}

client_lost_nothing()
{
	echo "# $client_total"
	cat "$lab_tmp/failures"
	is "$(told failures "$client_total") $(told moved "$client_total")" '0 0' &&
		[ "$(told requests "$client_total")" -gt 1000 ]
}

# The survivors' configuration is whole: it reads, prints, and applies to itself.
readable()
{
	lbctl && lbctl save >"$lab_tmp/saved" && cat "$lab_tmp/saved" &&
		is "$(lbctl apply "$lab_tmp/saved" dry-run)" '' &&
		grep -q "^backend add $service 10.0.0.3:8000" "$lab_tmp/saved"
}

completes()
{
	lbctl policy set hash || return 1
	lbctl backend replace "$service" 10.0.0.4:8000 weight 2 || return 1
	is "$(lbctl -j | jq -r .default_policy)" hash
}

balances()
{
	local _ said

	said=$(for _ in {1..40}; do on client curl -sS -m 2 10.0.0.10:8000; done)
	is "$(sort -u <<<"$said" | xargs)" 'b2 b3 b4'
}

attach_and_clear_die()
{
	local i died=0 attach

	takes chain attach eth0 || return 1
	attach=$longest
	takes clear || return 1
	for ((i = 0; i < 15; i++)); do
		longest=$attach killed -q chain attach eth0 && died=$((died + 1))
		killed -q clear && died=$((died + 1))
	done
	echo "# $died of 30 died at work"
	[ "$died" -ge 8 ] && [ "$died" -lt 30 ]
}

attach_completes()
{
	lbctl -q chain attach eth0 && lbctl -b "$lab_tmp/lb.conf" && balances
}

setup()
{
	cat >"$lab_tmp/lb.conf" <<-END
		service replace $service forward fullnat
		backend replace $service 10.0.0.2:8000
		backend replace $service 10.0.0.3:8000
		backend replace $service 10.0.0.4:8000
	END
	cat >"$lab_tmp/other.conf" <<-END
		service add $other forward fullnat
		backend add $other 10.0.0.2:8000
		backend add $other 10.0.0.3:8000
	END
}

lab_open
lab_basic 2 3 4
lab_peer_program
setup
check 'chain attach and clear die at any moment' attach_and_clear_die
check 'the next attach completes' attach_completes
client_start --fresh 3 --lasting 10 10.0.0.10
check 'lbctl dies at any moment of a change' many_die
client_stop
check 'no request and no open connection is lost' client_lost_nothing
check 'what is configured reads, saves and applies to itself' readable
check 'the next changes complete' completes
check 'all backends get their share' balances
lab_clear
tap_end
