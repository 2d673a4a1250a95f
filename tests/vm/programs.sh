# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# programs.sh - a filter, the chain and a counter on eth0 of host lb, in mode $mode, by the tools
# that their users have: sourced behind lab.sh.
filter=$(echo /usr/lib/*/bpf/xdpfilt_alw_all.o)
filter_maps=/sys/fs/bpf/xdp-filter

# Where the chain needs lbctl's dispatcher, the system's tools cannot add or remove programs
# while it is attached: then lbctl does it for them, with the filter's own maps.
has_own_dispatcher()
{
	[ "$(on lb ip link show eth0 | grep -c prog/xdp)" -gt 0 ] &&
		lbctl chain show eth0 2>/dev/null | grep -q "dispatcher (lbctl's)"
}

id_of()
{
	on lb xdp-loader status eth0 | awk -v name="$1" '$1 == "=>" && $3 == name { print $4 }'
}

unload()
{
	lbctl chain unload eth0 id "$(id_of "$1")"
}

filter_up()
{
	if has_own_dispatcher; then
		lbctl chain load "$filter" eth0 priority 10 maps "$filter_maps"
	else
		on lb xdp-filter load -m "$mode" eth0 && on lb xdp-filter port 8001
	fi
}

filter_down()
{
	if has_own_dispatcher; then
		unload xdpfilt_alw_all
	else
		on lb xdp-filter unload eth0
	fi
}

chain_up()
{
	lbctl chain attach eth0 mode "$mode" require dispatcher
}

chain_down()
{
	lbctl chain detach eth0
}

counter_up()
{
	local object=$lab_build/tests/vm/counter.bpf.o

	if has_own_dispatcher; then
		lbctl chain load "$object" eth0
	else
		on lb xdp-loader load -m "$mode" eth0 "$object"
	fi
}

counter_down()
{
	if has_own_dispatcher; then
		unload counter
	else
		on lb xdp-loader unload eth0 -i "$(id_of counter)"
	fi
}

# lists PROGRAM...: these are behind the dispatcher, in this order, and no other.
lists()
{
	local found

	found=$(on lb xdp-loader status eth0 | awk '$1 == "=>" { print $3 }' | xargs)
	[ "$found" = "$*" ] || {
		echo "listed: '$found', wanted: '$*'"
		on lb xdp-loader status eth0
		return 1
	}
}

# says COMMAND WORD...: `lbctl COMMAND` must see what xdp-loader sees.
says()
{
	local shown word

	# shellcheck disable=SC2086 # words
	shown=$(lbctl $1) || return 1
	shift
	for word; do
		grep -qw -- "$word" <<<"$shown" || {
			printf "no '%s' in:\n%s\n" "$word" "$shown"
			return 1
		}
	done
}

nothing_attached()
{
	! on lb ip link show eth0 | grep xdp
}
