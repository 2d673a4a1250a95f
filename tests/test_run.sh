#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_run - the runner itself: what is not proven must count as failed.
#
# Runs a copy of tests/run in a tree of its own, over suites that misbehave.
set -u

tmp=$(mktemp -d "${TMPDIR:-/tmp}/run.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/tests" && cp "$(dirname "$0")/run" "$tmp/tests/run" || exit 1
n=0

# suite NAME: a suite of standard input, the only one there is.
suite()
{
	rm -f "$tmp"/tests/test_*
	cat >"$tmp/tests/test_$1.sh"
}

# expect WHAT LINE STATUS [TEXT]: the last line and the exit status of a run, and a line
# that it prints besides.
expect()
{
	local last status

	n=$((n + 1))
	BUILD=$tmp/build "$tmp/tests/run" -t 2 >"$tmp/out" 2>&1
	status=$?
	last=$(tail -n 1 "$tmp/out")
	if [ "$last" = "$2" ] && [ "$status" -eq "$3" ] && grep -qF -- "${4:-}" "$tmp/out"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# status $status, wanted $3; last line '$last', wanted '$2'; output:"
		sed 's/^/#   /' "$tmp/out"
	fi
}

echo 1..18

suite good <<'END'
echo 1..2; echo ok 1 - one; echo ok 2 - two
END
expect "tests that pass" "2 passed, 0 failed" 0

suite bad <<'END'
echo 1..2; echo ok 1 - one; echo not ok 2 - two; echo "# because"
END
expect "a test that fails, and what it said" "1 passed, 1 failed" 1 "because"

suite bad <<'END'
echo 1..2; echo ok 1 - one; echo "printed before"; echo not ok 2 - two
END
expect "what a failing test printed before" "1 passed, 1 failed" 1 "printed before"

suite skips <<'END'
echo 1..3; echo ok 1 - one; echo "ok 2 - two # SKIP no network"; echo "not ok 3 # SKIP three"
END
expect "skipped tests are named" "1 passed, 0 failed, 2 skipped" 0 "skips: two: no network"

suite skipped <<'END'
echo "1..0 # SKIP not root"
END
expect "a suite that skips all of it has proven nothing" "0 passed, 0 failed, 1 skipped" 1 \
	"not root"

suite crash <<'END'
echo 1..2; echo ok 1 - one; kill -SEGV $$
END
expect "a suite that crashes" "1 passed, 2 failed" 1 "killed by SIGSEGV"

suite status <<'END'
echo 1..1; echo ok 1 - one; exit 3
END
expect "a suite that fails without a failing test" "1 passed, 1 failed" 1 "exit status 3"

suite empty <<'END'
exit 0
END
expect "a suite without a test" "0 passed, 1 failed" 1 "reports no test"

suite short <<'END'
echo 1..3; echo ok 1 - one
END
expect "a suite that ends early" "1 passed, 1 failed" 1 "announces 3 tests, reports 1"

suite planless <<'END'
echo ok 1 - one
END
expect "a suite that does not say how many" "1 passed, 1 failed" 1 "announces no number"

suite hangs <<'END'
echo 1..2; echo ok 1 - one; sleep 60
END
expect "a suite that hangs" "1 passed, 2 failed" 1 "does not end"

suite good </dev/null
rm "$tmp/tests/test_good.sh"
echo 'int main(void) { return 0; }' >"$tmp/tests/test_good.c"
expect "a program that is not built" "0 passed, 1 failed" 1 "not built"

suite named <<'END'
echo 1..1; echo ok 1 - one
END
n=$((n + 1))
if "$tmp/tests/run" nothing >"$tmp/out" 2>&1 || ! grep -q "no such suite" "$tmp/out"; then
	echo "not ok $n - an unknown suite is refused"
else
	echo "ok $n - an unknown suite is refused"
fi
n=$((n + 1))
if "$tmp/tests/run" "$tmp/tests/test_named.sh" >"$tmp/out" 2>&1; then
	echo "ok $n - a suite is found by its file"
else
	echo "not ok $n - a suite is found by its file"
fi

suite numbers <<'END'
echo 1..1; echo noise; echo ok 1 - one; echo "# 17 of them"
END
n=$((n + 1))
if "$tmp/tests/run" --numbers >"$tmp/out" 2>&1 && grep -q "17 of them" "$tmp/out" &&
	! grep -q noise "$tmp/out"; then
	echo "ok $n - numbers that a test tells are printed if wanted"
else
	echo "not ok $n - numbers that a test tells are printed if wanted"
fi
n=$((n + 1))
if "$tmp/tests/run" >"$tmp/out" 2>&1 && ! grep -q "17 of them" "$tmp/out"; then
	echo "ok $n - and not if not"
else
	echo "not ok $n - and not if not"
fi

mkdir -p "$tmp/tests/vm"
suite here <<'END'
echo 1..1; echo ok 1 - one
END
cp "$tmp/tests/test_here.sh" "$tmp/tests/vm/test_6_12.sh"
for named in '' vm; do
	n=$((n + 1))
	# shellcheck disable=SC2086 # nothing is no word
	"$tmp/tests/run" $named >"$tmp/out" 2>&1
	if grep -q '^vm/6_12 ' "$tmp/out"; then found=vm; else found=; fi
	if [ "$found" = "$named" ]; then
		echo "ok $n - a suite that takes long, with '$named' named"
	else
		echo "not ok $n - a suite that takes long, with '$named' named"
	fi
done
