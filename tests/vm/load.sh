#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# load.sh [-k SERIES] [OBJECT...] - does Debian's kernel accept what was built?
#
# Loads every built object, or those given, under kernel SERIES (6.1) in an emulated
# machine and prints the verifier's steps per program, or the end of its log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
kernel=()
if [ "${1:-}" = -k ]; then
	kernel=(-k "$2")
	shift 2
fi
shopt -s nullglob
[ $# -gt 0 ] || set -- "$build"/{progs,policies}/*.bpf.o
for object in "${@:-$build/progs/lb_entry.bpf.o}"; do
	[ -e "$object" ] || {
		echo "load.sh: '$object': not there (run 'make' first)" >&2
		exit 2
	}
done
exec "$here/vm.sh" "${kernel[@]}" "$here/load.py" "$@"
