#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_dispatcher.sh - which way the chain takes onto an interface, and other people's
# programs beside it.
#
# On a kernel that forbids programs of type EXT there is no dispatcher to be had: then that
# is what must be said.  What is behind one is shown in tests/vm.
set -u

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

pass=$build/tests/net/pass.bpf.o

# programs DEV: how many XDP programs the kernel shows there.
programs() {
	in_ns ip link show "$1" | grep -c 'prog/xdp'
}

# id_of DEV: of the program that is there.
id_of() {
	in_ns ip -j link show "$1" | jq '.[0].xdp.prog.id'
}

# nothing_on DEV NAME
nothing_on() {
	[ "$(programs "$1")" -eq 0 ]
	test_is $? "$2" "$(in_ns ip link show "$1")"
}

# Whether a dispatcher can be had here, by whatever has nothing to do with tail calls.
has_dispatcher() {
	lb -q chain load "$pass" v2 >/dev/null 2>&1 || return 1
	lb -q chain unload v2 id "$(in_ns "$lbctl" -j --pin-dir "$pins" chain show v2 |
		jq '.programs[] | select(.program == "pass").id')"
}

words() {
	refuses 2 "file with the program is missing" chain load
	refuses 2 "interface is missing" chain load "$pass"
	refuses 2 "'prio': unknown keyword; did you mean 'priority'" chain load "$pass" v1 prio 3
	refuses 2 "priority '70000': not a number from 0 to 65535" \
		chain load "$pass" v1 priority 70000
	refuses 2 "mode 'nativ': .*did you mean 'native'" chain load "$pass" v1 mode nativ
	refuses 2 "maps 'here': not an absolute path" chain load "$pass" v1 maps here
	refuses 2 "interface is missing" chain unload
	refuses 2 "'id' and the program's number.* is missing" chain unload v1
	refuses 2 "'42': not 'id'" chain unload v1 42
	refuses 2 "number is missing" chain unload v1 id
	refuses 2 "id 'x': not a program's number" chain unload v1 id x
	refuses 2 "one word too many" chain unload v1 id 3 4
}

files() {
	refuses 1 "nope0: no such interface" chain load "$pass" nope0
	refuses 1 "none: No such file" chain load "$tmp/none" v1
	echo nonsense >"$tmp/text"
	refuses 1 "not a BPF object" chain load "$tmp/text" v1
	refuses 1 "pass.bpf.o: has no XDP program 'other'; it has pass$" \
		chain load "$pass" v1 prog other
	refuses 1 "lb_resolve.bpf.o: has no XDP program$" \
		chain load "$build/progs/lb_resolve.bpf.o" v1
	nothing_on v1 "what was refused is not there"
}

# One that came without a dispatcher: neither the chain nor another can join it.
alone() {
	local id

	in_ns ip link set v1 xdp obj "$pass" sec xdp
	id=$(id_of v1)
	refuses 1 "v1: XDP program 'pass' \(id $id\) is attached without a dispatcher" \
		chain load "$pass" v1
	refuses 1 "v1: no XDP program has the id 4294967295 there" \
		chain unload v1 id 4294967295
	does "one that is alone is unloaded" lb chain unload v1 id "$id"
	nothing_on v1 "... and is gone"
	refuses 1 "v1: no XDP program has the id $id there" chain unload v1 id "$id"
}

chain_alone() {
	refuses 1 "v0: cannot attach through the dispatcher: .*freplace" \
		chain attach v0 require dispatcher
	nothing_on v0 "'require dispatcher' leaves nothing"
	prints "an attach says that it is alone, and why" \
		'^lbctl: v0: attached ALONE, without a dispatcher: .*freplace' \
		lb chain attach v0
	refuses 1 "v0: XDP program 'lb_entry' \(id [0-9]+\) is attached without" \
		chain load "$pass" v0
	prints "'chain show' says so, too" '^v0 +native +alone +- .* lb_entry \*' \
		lb chain show v0
	refuses 1 "v1: .*cannot be loaded.*freplace" \
		chain load "$pass" v1
	nothing_on v1 "... and no program is there alone"
}

chain_behind() {
	prints "an attach says which dispatcher it is behind" \
		"^lbctl: v0: attached behind (libxdp|lbctl)'s dispatcher, at priority 60" \
		lb chain attach v0 require dispatcher
	does "another program is loaded" lb -q chain load "$pass" v0 priority 70
	prints "'chain show' has both" '2 +70 +pass ' lb chain show v0
	prints "... and says what the second one does not see" \
		"^! v0: 'pass' runs after lb_entry" lb chain show v0
}

words
files
alone
if has_dispatcher; then
	chain_behind
else
	chain_alone
fi
refuses 1 "v0: [0-9]+ is the chain itself; 'lbctl chain detach v0' takes it off" \
	chain unload v0 id "$(lb -j chain show v0 | jq '.programs[] | select(.ours).id')"
is_json stage_programs chain show
jq -e '.stage_programs | length > 10 and all(.tag | length == 16)' "$tmp/json" >/dev/null
test_is $? "each stage has its program's id and tag" "$(head -c 1000 "$tmp/json")"
finish
