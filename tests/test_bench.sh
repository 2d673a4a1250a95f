#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_bench - the benchmark itself: rows of the right shape, and no figure of another path.
#
# Nothing here looks at a time.
set -u

cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")
tmp=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

# test_is STATUS NAME: report a test, with what was printed if it failed.
test_is()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
		failed=$((failed + 1))
	fi
}

# rows_of PATTERN...: rows of paths, of as few packets as there can be.
rows_of()
{
	local args=() pattern

	for pattern; do args+=(--only "$pattern"); done
	BUILD=${tree:-$build} "$build/bench/paths" --quick --quick "${args[@]}" \
		>"$tmp/out" 2>"$tmp/err"
}

# rows_are FILTER: does it hold for each row?
rows_are()
{
	jq -se "length > 0 and all($1)" "$tmp/out" >/dev/null
}

shape='(.case | type) == "string" and (.mode | type) == "string"
	and ([.flows, .table, .bytes, .net_ns_min, .net_ns_median, .verified_share]
	| all(type == "number")) and .verified_share >= 0.999'

make -s benches >"$tmp/out" 2>"$tmp/err"
test_is $? 'benches are built'

rows_of not-for-a-service/ipip/ipv4 tcp-known/fullnat/ipv6/1/80 tcp-reply/fullnat/ipv4/1/64 &&
	rows_are "$shape" && [ "$(wc -l <"$tmp/out")" -eq 3 ]
test_is $? 'a row says what was measured, and that it was'

rows_of memory && rows_are '.bytes_per_flow > 0'
test_is $? 'the memory of the tables'

rows_of no-such-row
[ $? -eq 1 ] && grep -q 'no row has such a name' "$tmp/err"
test_is $? 'a pattern that means no row is an error'

# In a tree whose stage for tunnels passes packets on: the figure would be of another path.
mkdir -p "$tmp/tree" && cp -r "$build/progs" "$build/policies" "$build/bench" "$tmp/tree" &&
	cp "$build/tests/net/pass.bpf.o" "$tmp/tree/progs/lb_encap.bpf.o"
! tree=$tmp/tree rows_of tcp-known/ipip/ipv4/1/64 && rows_are '.verified_share < 0.999'
test_is $? 'packets that went another way are an error'

# A tree in which one part of the benchmark prints what it is told.
mkdir -p "$tmp/fake/bench"
printf '#!/bin/sh\ncat "%s/said"\n' "$tmp" >"$tmp/fake/bench/paths"
chmod +x "$tmp/fake/bench/paths"

# runs STATUS ROW...: bench/run over them ends so.
runs()
{
	local want=$1

	shift
	printf '%s\n' "$@" >"$tmp/said"
	BUILD=$tmp/fake bench/run --only paths >"$tmp/out" 2>"$tmp/err"
	[ $? -eq "$want" ]
}

good='{"case": "x", "family": "ipv4", "flows": 1, "bytes": 64, "net_ns_min": 1.5}'
runs 0 "$good" &&
	jq -e 'length == 1 and all(.kernel and .commit and .cpu and .date)' \
		"$tmp/fake/bench.json" >/dev/null
test_is $? 'run collects rows, and adds where they are from'

runs 1 "$good" '{"case": "astray", "bytes": 64, "verified_share": 0.5}' &&
	grep -q 'astray: only 0.5' "$tmp/err"
test_is $? 'run says which row went astray'

runs 1 'Segmentation fault'
test_is $? 'run takes nothing for a row that is none'

echo "1..$n"
exit $((failed > 0))
