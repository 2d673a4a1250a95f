# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# cli_lab.sh - sourced by the tests of the command line: lbctl in a namespace of its own,
# with pins of its own, and what those tests are made of.
#
# LBCTL names another lbctl to test.
set -u

cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
lbctl=$(realpath "${LBCTL:-$build/lbctl}")
ns=swy-cli-$$
pins=/sys/fs/bpf/swy-test-$$
tmp=$(mktemp -d "/tmp/swy-cli-$$.XXXXXX")
tests=0 failed=0

# shellcheck disable=SC2317  # called by the trap
cleanup() {
	lb -q clear >/dev/null 2>&1
	ip netns del "$ns" 2>/dev/null
	rm -rf "$pins" "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# ---- what tests are made of ----------------------------------------------------

# in_ns COMMAND...: `ip netns exec` would hide bpffs.
in_ns() {
	nsenter --net="/run/netns/$ns" "$@"
}

lb() {
	in_ns "$lbctl" --pin-dir "$pins" "$@"
}

# test_is STATUS NAME [WHY]: report a test.
test_is() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		failed=$((failed + 1))
		[ -z "${3-}" ] || echo "# ${3//$'\n'/$'\n'# }"
	fi
}

# does NAME COMMAND...: it succeeds and says nothing on stderr.
does() {
	local name=$1 status
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ ! -s "$tmp/err" ] || status=1
	test_is "$status" "$name" "$(head -c 2000 "$tmp/err" "$tmp/out")"
}

# prints NAME REGEX COMMAND...: its output matches.
prints() {
	local name=$1 regex=$2
	shift 2
	"$@" >"$tmp/out" 2>&1
	grep -qE -- "$regex" "$tmp/out"
	test_is $? "$name" "wanted: $regex
$(head -c 2000 "$tmp/out")"
}

# counts NAME N REGEX COMMAND...: so many lines of its output match.
counts() {
	local name=$1 want=$2 regex=$3 got
	shift 3
	got=$("$@" 2>&1 | grep -cE -- "$regex")
	test_is $((got != want)) "$name" "$got lines match '$regex', not $want"
}

# refuses STATUS REGEX WORD...: exit status, one line on stderr that matches, nothing on
# stdout, nothing changed.
refuses() {
	local want=$1 regex=$2 status why=
	shift 2
	lb save >"$tmp/before" 2>&1
	lb "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	lb save >"$tmp/after" 2>&1
	[ "$status" -eq "$want" ] || why+="exit status $status, not $want; "
	[ ! -s "$tmp/out" ] || why+="stdout is not empty; "
	[ "$(wc -l <"$tmp/err")" -eq 1 ] || why+="not one line on stderr; "
	grep -qE -- "$regex" "$tmp/err" || why+="stderr does not match '$regex'; "
	cmp -s "$tmp/before" "$tmp/after" || why+="something changed; "
	[ -z "$why" ]
	test_is $? "refuses: lbctl $*" "$why
$(cat "$tmp/err" "$tmp/out")"
}

# refuses_file REGEX: what stands in stdin, as a file to apply.
refuses_file() {
	cat >"$tmp/file"
	refuses 1 "$1" apply "$tmp/file"
	refuses 1 "$1" --batch "$tmp/file"
}

is_json() {
	local name=$1
	shift
	lb -j "$@" >"$tmp/json" 2>"$tmp/err" && python3 -m json.tool <"$tmp/json" >/dev/null 2>&1
	test_is $? "JSON parses: lbctl -j $*" "$(head -c 1000 "$tmp/err" "$tmp/json")"
	python3 -c '
import json, sys
root = json.load(open(sys.argv[1]))
assert root["abi"] == 4, root
assert sys.argv[2] in root, list(root)' "$tmp/json" "$name" 2>"$tmp/err"
	test_is $? "... and has abi and '$name'" "$(tail -1 "$tmp/err")"
}

# saved NAME <TEXT: `save` prints this.
saved() {
	cat >"$tmp/want"
	lb save >"$tmp/got" 2>&1
	test_is "$(cmp -s "$tmp/want" "$tmp/got"; echo $?)" "$1" \
		"$(diff "$tmp/want" "$tmp/got")"
}

# ---- the network ---------------------------------------------------------------

mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf || exit 1
ip netns add "$ns" || exit 1
for i in 0 1 2; do
	in_ns ip link add "v$i" type veth peer name "p$i"
	in_ns ip link set "v$i" up
	in_ns ip link set "p$i" up
done
in_ns ip addr add 10.0.0.10/24 dev v0

# The last line of a test script.
finish() {
	echo "1..$tests"
	exit $((failed > 0))
}
