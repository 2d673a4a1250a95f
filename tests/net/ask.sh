# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ask.sh - what a client asks of a service, to be sourced after lab.sh and tap.sh.
#
# HOST is an address as URLs have it: IPv6 in brackets.  The client is $asker, or else
# "client".  Limits are for what fails; the servers are tests/net/backend.py.

# get HOST:PORT[/BYTES]: within $limit seconds.
get()
{
	on "${asker:-client}" curl -gsS -m "${limit:-10}" "http://$1"
}

# datagram IP PORT [COUNT [SIZE]]: who answers, a line for each.
datagram()
{
	on "${asker:-client}" "${lab_python:?}" "${lab_top:?}/tests/net/datagrams.py" "$@"
}

# same_backend IP PORT: one answers all datagrams of a flow.
same_backend()
{
	local said

	said=$(datagram "$1" "$2" 4 1000 | sort | uniq -c | xargs) || return 1
	[[ $said == '4 b'[23] ]] || is "$said" '4 by b2 or b3'
}

# answers PATTERN COMMAND...
answers()
{
	local pattern=$1 said

	shift
	said=$("$@") || return 1
	# shellcheck disable=SC2053 # a pattern
	[[ $said == $pattern ]] && return
	echo "answered '$said', wanted $pattern"
	return 1
}

# both_backends HOST:PORT: both answer, in not more than fifty requests: each CPU takes its
# own turn.  None may fail.
both_backends()
{
	local said n
	declare -A by=()

	for n in {1..50}; do
		said=$(get "$1") || return 1
		by[$said]=1
		[ -z "${by[b2]:-}" ] || [ -z "${by[b3]:-}" ] || break
	done
	echo "# $n requests: ${!by[*]}"
	[ ${#by[@]} -eq 2 ] && [ "$n" -lt 50 ]
}

# lines IP PORT
lines()
{
	local said

	said=$(printf 'one\ntwo\n' | on "${asker:-client}" nc -N -w 10 "$1" "$2") || return 1
	[[ $said == b[23]' one'$'\n'b[23]' two' ]] || is "$said" 'b2 or b3: one, two'
}

# download HOST:PORT
download()
{
	is "$(limit=60 get "$1/3000000" | sha256sum)" \
		"$(on b2 curl -sS 127.0.0.1:8000/3000000 | sha256sum)"
}

# upload HOST:PORT [BYTES]
upload()
{
	head -c "${2:-3000000}" /dev/urandom >"${lab_tmp:?}/body"
	is "$(on "${asker:-client}" curl -gsS -m 60 -T "$lab_tmp/body" "http://$1")" \
		"$(sha256sum <"$lab_tmp/body" | cut -d ' ' -f 1)"
}

# pings IP [COUNT]: none is lost.
pings()
{
	on "${asker:-client}" ping -q -c "${2:-3}" -i 0.2 -W 10 "$1"
}

# pinged HOST: packets of its ping service, those to the client included if they come by.
pinged()
{
	lbctl -j service show "$1/icmp" | jq '.services[0].packets'
}

# pings_backends IP HOST PACKETS: the balancer forwards that many of four pings.
pings_backends()
{
	local before after

	before=$(pinged "$2") && pings "$1" 4 && after=$(pinged "$2") || return 1
	is $((after - before)) "$3"
}

# fails STATUS COMMAND...: with curl's 7 if a client was refused, 28 if nobody answered.
fails()
{
	local wanted=$1

	shift
	"$@"
	is $? "$wanted"
}

# counted REASON: packets that left for it.
counted()
{
	lbctl -j stats | jq --arg r "$1" '.reasons[] | select(.reason == $r) | .packets'
}
