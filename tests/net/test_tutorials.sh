#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_tutorials.sh - what docs/tutorials says, done as it is written: `make test-tutorials`.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
[[ $build == /* ]] || build=$PWD/$build
PATH="$build:$PATH" exec python3 "$top/tests/net/tutorial.py" "$top"/docs/tutorials/[0-9]*.md
