#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh - the main job on real traffic, in half a minute: `sudo make demo`.
#
# A client asks a service without pause while its policy is swapped, a backend is added
# and one is drained.  Each row of the table is what the client saw in one phase: requests
# are TCP connections of their own, a failure is one that was not answered in 5 s.  Ends
# with status 1 if anything failed, if an open connection moved, or if a backend had a
# share that should have none, or none that should have one.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"

service=10.0.0.10:8000/tcp
seconds=3	# of each phase
swaps=60	# of the phase that does nothing else
backends=(b2 b3 b4)
wrong=()

bold='' dim='' red='' plain=''
if [ -t 1 ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[1;31m' plain=$'\e[0m'
fi

say()
{
	printf '%s%s%s\n' "$dim" "$*" "$plain"
}

# show HOST COMMAND...: print it as it could be typed there, and do it.
show()
{
	local host=$1

	shift
	printf '%s%6s#%s %s%s%s\n' "$dim" "$host" "$plain" "$bold" "$*" "$plain"
	if [ "$1" = lbctl ]; then
		"$@"
	else
		on "$host" "$@"
	fi || lab_die "'$*' failed on $host"
}

# ---- the table ---------------------------------------------------------------

# share NAME LINE: in per cent of what was answered.
share()
{
	local part all

	part=$(told "$1" "$2")
	all=$(($(told requests "$2") - $(told failures "$2")))
	if [ "$part" -eq 0 ] || [ "$all" -le 0 ]; then
		printf '%8s' -
	else
		part=$(((part * 1000 + all / 2) / all))
		printf '%6d.%d%%' $((part / 10)) $((part % 10))
	fi
}

head_row()
{
	printf '\n%s%-24s%9s' "$bold" POLICY REQUESTS
	printf '%8s' "${backends[@]}"
	printf '%10s%10s%s\n' FAILURES SLOWEST "$plain"
}

# row NAME LINE: what the client tells of one phase.
row()
{
	local name failures color=''

	failures=$(told failures "$2")
	[ "$failures" -eq 0 ] || color=$red
	printf '%-24s%9d' "$1" "$(told requests "$2")"
	for name in "${backends[@]}"; do
		share "$name" "$2"
	done
	printf '%s%10d%s%7d ms\n' "$color" "$failures" "$plain" "$(told slowest_ms "$2")"
	[ "$failures" -eq 0 ] || tail -n 3 "$lab_tmp/failures"
}

# ---- phases --------------------------------------------------------------------

# The client must be alive, or the demo says what it died of.
client_begins()
{
	client_phase "$1" || lab_die "the client died: $(tail -n 1 "$lab_tmp/failures")"
}

# only BACKEND...: these had a share of what the client just told, and no others.
only()
{
	local name

	for name in "${backends[@]}"; do
		if [[ " $* " == *" $name "* ]]; then
			[ "$(told "$name" "$client_line")" -gt 0 ] ||
				wrong+=("${client_line%% *}: $name had no share")
		else
			[ "$(told "$name" "$client_line")" -eq 0 ] ||
				wrong+=("${client_line%% *}: $name had a share")
		fi
	done
}

# phase NAME BACKEND...: some seconds of traffic; these backends must have shares in it.
phase()
{
	local name=$1

	shift
	client_begins "$name"
	sleep "$seconds"
	client_begins changing
	row "$name" "$client_line"
	only "$@"
}

swap_often()
{
	local policies=(round-robin hash weighted) i

	say "        and now $swaps swaps, as fast as they go"
	client_begins "$swaps swaps"
	for ((i = 0; i < swaps; i++)); do
		lbctl policy set "${policies[i % 3]}" || lab_die "swap $i failed"
	done
	client_begins changing
	row "$swaps swaps" "$client_line"
}

# ---- the demo --------------------------------------------------------------------

hosts()
{
	say 'hosts on one switch, each a network namespace:'
	say '   client 10.0.0.1  balancer lb 10.0.0.10  backends b2 10.0.0.2, b3 10.0.0.3'
	lab_basic 2 3
	lab_peer_program
}

configure()
{
	say "'lbctl' stands for:"
	say "    nsenter --net=/run/netns/$lab_id-lb build/lbctl --pin-dir $lab_pins"
	echo
	show lb lbctl chain attach eth0
	show lb lbctl service add "$service" forward fullnat
	show lb lbctl backend add "$service" 10.0.0.2:8000 weight 3
	show lb lbctl backend add "$service" 10.0.0.3:8000
	show client curl -sS -m 5 10.0.0.10:8000
	show client curl -sS -m 5 10.0.0.10:8000
}

traffic()
{
	echo
	say 'now the client asks without pause, 4 requests at a time, each on its own'
	say 'connection; 20 more connections stay open all the time and are asked in turn'
	client_start --fresh 4 --lasting 20 10.0.0.10
	head_row
	phase round-robin b2 b3
	show lb lbctl policy set hash
	phase hash b2 b3
	show lb lbctl policy set weighted
	phase weighted b2 b3
	lab_host b4 4
	lab_backend b4
	show lb lbctl backend add "$service" 10.0.0.4:8000
	phase weighted b2 b3 b4
	show lb lbctl backend drain "$service" 10.0.0.3:8000
	phase weighted b2 b4
	swap_often
}

# What all of it came to.
result()
{
	local moved asked

	client_stop
	row 'total, with the changes' "$client_total"
	moved=$(told moved "$client_total")
	asked=$(told asked "$client_total")
	printf '\n%d connections were open all the time: asked %d times, %d moved\n' \
		"$(told lasting "$client_total")" "$asked" "$moved"
	[ "$(told failures "$client_total")" -eq 0 ] || wrong+=('requests failed')
	[ "$moved" -eq 0 ] || wrong+=("$moved open connections moved")
	[ "$asked" -gt 0 ] || wrong+=('no open connection was asked')
}

tear_down()
{
	lab_clear
	[[ $(ip netns list) != *"$lab_id-"* ]] || wrong+=('a namespace is left')
	[ ! -e "$lab_pins" ] || wrong+=('pins are left')
}

lab_open
hosts
configure
traffic
result
echo
show lb lbctl
echo
failures=$(<"$lab_tmp/failures")
tear_down
if [ "${#wrong[@]}" -gt 0 ]; then
	printf '%sdemo: %s%s\n' "$red" "$(printf '%s; ' "${wrong[@]}")" "$plain" >&2
	[ -z "$failures" ] || printf '%s\n' "$failures" >&2
	exit 1
fi
printf '%s0 failures%s; everything is torn down\n' "$bold" "$plain"
