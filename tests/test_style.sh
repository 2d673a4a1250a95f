#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_style - the sources' form, both compilers, configure, and what install installs.
#
# Builds beside the normal build, in $BUILD/style/{gcc,clang,arm64,install}, and installs into
# a folder of its own.  Not in $BUILD itself: who has that in PATH, as the tutorials do, would
# have make try to run a folder that is called clang.
set -u
cd "$(dirname "$0")/.." || exit 1

build=${BUILD:-build}/style
tmp=$(mktemp -d "${TMPDIR:-/tmp}/style.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
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
		tail -n 40 "$tmp/out" | sed 's/^/# /'
	fi
}

make_()
{
	env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory "$@"
}

licensed()
{
	local bad

	bad=$(make_ -s print-sources | xargs grep -L 'SPDX-License-Identifier: GPL-2.0-only')
	[ -z "$bad" ] || { echo "no SPDX line: $bad"; return 1; }
}

configure_refuses()
{
	! ./configure --no-such-option >"$tmp/stdout" 2>"$tmp/stderr" &&
		[ ! -s "$tmp/stdout" ] && [ "$(wc -l <"$tmp/stderr")" -eq 1 ]
}

# In a folder of its own, where it may not write a config.mk.
configure_names_package()
{
	mkdir -p "$tmp/c/dist" && cp configure "$tmp/c" && cp dist/debian-packages "$tmp/c/dist"
	! "$tmp/c/configure" CLANG=/nowhere/clang >"$tmp/found" 2>&1 &&
		cat "$tmp/found" && grep -q '^clang .*MISSING: install clang$' "$tmp/found" &&
		[ ! -e "$tmp/c/config.mk" ]
}

every_package_once()
{
	local twice

	twice=$(awk '!/^#/ { print $1 }' dist/debian-packages | sort | uniq -d)
	[ -z "$twice" ] || { echo "twice: $twice"; return 1; }
}

expected_files()
{
	local f

	for f in progs/*.bpf.c policies/*.bpf.c; do
		echo "usr/lib/switchyard/${f%.c}.o"
	done
	echo usr/lib/switchyard/dispatcher/xdp-dispatcher.o
	# That they are the ones that policies need, cli_policy tries.
	sed -E 's|.*/([^/]*\.bpf\.h)$|\1|; s|^include/||; s|^|usr/include/switchyard/|' \
		"$build/install/sdk.headers"
	echo usr/lib/pkgconfig/switchyard.pc
	printf 'usr/lib/switchyard/template/%s\n' Makefile.in policy.bpf.c.in
	echo usr/sbin/lbctl
	echo usr/share/man/man7/lb-policy.7
	echo usr/share/man/man8/lbctl.8
	echo usr/lib/systemd/system/switchyard.service
}

installed()
{
	make_ O="$build/install" PREFIX=/usr DESTDIR="$tmp/root" install &&
		diff <(expected_files | sort) <(cd "$tmp/root" && find . -type f | cut -c3- | sort)
}

no_build_path()
{
	! grep -rl "$tmp\|$PWD" "$tmp/root" && grep -q 'ExecStart=/usr/sbin/lbctl apply' \
		"$tmp/root/usr/lib/systemd/system/switchyard.service"
}

man_has_reasons()
{
	local reason

	reason=$(sed -n 's/^[ \t]X([A-Z_]*,[ \t]*"\([a-z-]*\)",[ \t]*"[a-z]*",.*/\1/p' \
		include/lb/reasons.h)
	[ "$(echo "$reason" | wc -l)" -gt 10 ] || { echo "reasons: $reason"; return 1; }
	sed 's/\\//g' "$tmp/root/usr/share/man/man8/lbctl.8" >"$tmp/man"
	for reason in $reason; do
		grep -qx -- "$reason" "$tmp/man" || { echo "not in the man page: $reason"; return 1; }
	done
}

uninstalled()
{
	make_ O="$build/install" PREFIX=/usr DESTDIR="$tmp/root" uninstall &&
		[ -z "$(find "$tmp/root" -type f -print)" ]
}

# With the barriers of other machines than x86; this one's kernel verifies them, too.
arm64_loads()
{
	make_ O="$build/arm64" ARCH=aarch64 BPF_ARCH=arm64 progs policies dispatcher &&
		python3 tests/vm/load.py "$build"/arm64/{progs,policies,dispatcher}/*.o
}

clean_is_clean()
{
	make_ O="$build/arm64" clean && [ ! -e "$build/arm64" ]
}

echo 1..15
try 'clang-format would change no source' make_ check-format
try 'shellcheck finds nothing in any script' make_ check-shell
try 'every source and script names its licence' licensed
try 'gcc compiles without a warning' make_ CC=gcc O="$build/gcc" lbctl tests
try 'clang compiles without a warning' make_ CC=clang O="$build/clang" lbctl tests
try 'the programs for arm64 compile, and are verified' arm64_loads
try 'make clean removes what was built' clean_is_clean
try 'configure --help exits 0' ./configure --help
try 'configure refuses an unknown option in one line' configure_refuses
try 'configure names the package of what is missing' configure_names_package
try 'no package is listed twice' every_package_once
try 'make install puts each file where it belongs' installed
try 'installed files name the prefix, not the build tree' no_build_path
try 'the man page has every reason' man_has_reasons
try 'make uninstall leaves no file' uninstalled
