#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_sanitize - the suites of user space once more, with ASan and UBSan in lbctl and in
# the tests themselves: a leak or undefined behaviour ends the program with an error.
set -u
cd "$(dirname "$0")/.." || exit 1

build=${BUILD:-build}
suites=(address model table endpoints sources siblings prefixes repair cli cli_change cli_flow
	cli_match cli_modes cli_admission)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/sanitize.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' TERM
n=0

# try NAME COMMAND...: one test; what the command printed follows a failure.
try()
{
	local name=$1

	n=$((n + 1))
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		tail -n 60 "$tmp/out" | sed 's/^/# /'
	fi
}

built()
{
	env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory O="$build" sanitize &&
		grep -q __asan_report "$build/asan/lbctl" &&
		grep -q __ubsan_handle "$build/asan/lbctl"
}

echo "1..$((${#suites[@]} + 1))"
try 'lbctl and tests are built with ASan and UBSan' built
for suite in "${suites[@]}"; do
	try "$suite passes with ASan and UBSan" env BUILD="$(realpath "$build")/asan" \
		tests/run "$suite"
done
