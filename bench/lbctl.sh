#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lbctl.sh - what lbctl's commands and tables take, and how that grows with what there is.
#
#     [LBCTL=PROGRAM] lbctl.sh [--quick | --one-by-one SERVICES BACKENDS]
#
# LBCTL names another lbctl, which has its own objects beside it.  --one-by-one: how long it
# takes to make so many services with so many backends each, by a command for each of them.
# Prints a JSON object a line.

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/../tests/net/lab.sh"

# Backends are in 10.64.0.0/10, on the one network; nobody answers there.
lab_open
lab_host lb 10
on lb ip addr add 10.64.0.1/10 dev eth0 || lab_die "cannot add an address"
lab_peer_program
on lb "${LBCTL:-$lab_build/lbctl}" -q --pin-dir "$lab_pins" chain attach eth0 ||
	lab_die "cannot attach"

on lb "$lab_python" "$lab_top/bench/lbctl.py" "$lab_build" "${LBCTL:-$lab_build/lbctl}" \
	"$lab_pins" "$lab_tmp" "$@" || exit 1
[ "${1:-}" = --one-by-one ] || "$lab_build/bench/tables" || exit 1
