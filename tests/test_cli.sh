#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_cli.sh - lbctl's words: the README's commands, JSON, and every bad input.

# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

# ---- before there is anything --------------------------------------------------

no_instance() {
	refuses 1 "no .*instance|no such instance|chain attach" service show
	refuses 1 "chain attach" service add 10.0.0.10:80/tcp
	refuses 1 "chain attach" save
	refuses 1 "'nope0': no such|nope0: no such interface" chain attach nope0
	refuses 1 "no such interface" chain attach v0 nope0
	[ ! -e "$pins" ]
	test_is $? "what was refused left no pins"
	prints "help is the grammar" '^backend := ' lb -h
	prints "help wins over a wrong word" '^backend := ' lb nonsense --help
	prints "version" '^lbctl [0-9.]+, abi 4$' lb -V
	does "doctor needs no instance" lb doctor
	printf '%s\n' "chain attach v0" "policy set hash" "service add 10.0.0.10:80/tcp" \
		>"$tmp/first"
	counts "a dry run needs none, either" 3 '^(chain attach v0|policy set .* hash|service add)' \
		lb apply "$tmp/first" dry-run
}

# ---- the README's commands -----------------------------------------------------

# how_attached INSTANCE-OPTIONS...: "alone" or "dispatcher", as the kernel allows.
how_attached() {
	in_ns "$lbctl" "$@" -j | python3 -c 'import json, sys
print(json.load(sys.stdin)["devices"][0]["how"])'
}

# attach_says_how FILE HOW: one warning if it is alone, none else.
attach_says_how() {
	local want=0

	[ "$2" != alone ] || want=1
	[ "$(grep -c ALONE "$1")" -eq $want ]
	test_is $? "attach says in one line that it is alone, or nothing" "how: $2
$(cat "$1")"
}

# An instance by its name: the pins are where the man page says, and go with it.
by_name() {
	local name=swy-cli-$$

	does "attach an instance by its name" in_ns "$lbctl" -q -i "$name" chain attach v1
	prints "it is there" '^v1 ' in_ns "$lbctl" --instance "$name"
	[ -e "/sys/fs/bpf/switchyard/$name/maps/lb_config" ]
	test_is $? "it is pinned under its name" ""
	does "and cleared" in_ns "$lbctl" -i "$name" clear
	[ ! -e "/sys/fs/bpf/switchyard/$name" ]
	test_is $? "nothing of it is left" ""
	rmdir /sys/fs/bpf/switchyard 2>/dev/null
}

readme() {
	local how

	lb chain attach v0 >"$tmp/out" 2>"$tmp/attach"
	test_is $? "attach" "$(cat "$tmp/attach")"
	how=$(how_attached --pin-dir "$pins")
	attach_says_how "$tmp/attach" "$how"
	if [ "$how" = alone ]; then
		refuses 1 "attached alone" chain attach v0 require dispatcher
	fi
	lb -q chain attach v0 2>"$tmp/err"
	test_is $? "attaching again is no error" "$(cat "$tmp/err")"
	does "service add" lb service add 10.0.0.10:80/tcp forward fullnat
	does "backend add" lb backend add 10.0.0.10:80/tcp 10.0.0.2:8080 weight 2
	does "another" lb backend add 10.0.0.10:80/tcp 10.0.0.3:8080
	does "policy set" lb policy set hash
	does "lbctl" lb
	prints "the screen has the interface" '^v0 +native' lb
	prints "... the service" '10\.0\.0\.10:80/tcp +fullnat +hash +2 of 2 usable' lb
	prints "... the backend" ' 10\.0\.0\.2:8080 +active +2 ' lb
	prints "chain show" 'v0 .*lb_entry \*' lb chain show v0
	prints "policy show" '^hash +yes +1 +maglev +even,sticky,consistent' lb policy show
	prints "stats" '^REASON' lb stats
	prints "flow count" '^0$' lb flow count
	saved "save prints the commands" <<-EOF
		chain attach v0
		policy set hash
		service add 10.0.0.10:80/tcp forward fullnat
		backend add 10.0.0.10:80/tcp 10.0.0.2:8080 weight 2
		backend add 10.0.0.10:80/tcp 10.0.0.3:8080
	EOF
	lb save >"$tmp/lb.conf"
	does "apply of save" lb apply "$tmp/lb.conf"
	saved "apply of save changes nothing" <"$tmp/lb.conf"
	counts "... which a dry run says, too" 0 . lb apply "$tmp/lb.conf" dry-run
}

all_json() {
	is_json services
	is_json problems status
	is_json services service show
	is_json services service list 10.0.0.10:80/tcp
	is_json backends backend show
	is_json policies policy
	is_json flows flow show
	is_json flows flow count
	is_json programs chain
	is_json reasons stats rate 10ms
	is_json services stats 10.0.0.10:80/tcp rate 10ms
	in_ns ip link set p0 xdpdrv obj "$build/tests/net/pass.bpf.o" sec xdp
	is_json checks doctor
	in_ns ip link set p0 xdpdrv off
	prints "doctor finds a veth's other end without XDP" \
		'^fail +veth +v0 .*p0 has no XDP program' lb doctor
	lb doctor v0 >/dev/null
	test_is $(($? != 1)) "... which is a failure"
	lb --pretty service show >"$tmp/pretty" && [ "$(wc -l <"$tmp/pretty")" -gt 10 ]
	test_is $? "pretty JSON has lines"
}

# ---- bad input -----------------------------------------------------------------

bad_words() {
	refuses 2 "'servce': no such object or command; did you mean 'service'" servce
	refuses 2 "did you mean 'add'" service ad 10.0.0.1:80/tcp
	refuses 2 "did you mean 'backend'" real-server add
	refuses 2 "no such option; did you mean 'json'" --jsn
	refuses 2 "no such option" -x
	refuses 2 "'--js': no such option" --js
	refuses 2 "'-w': its value is missing" -w
	refuses 2 "not a time" -w soon save
	refuses 2 "instance '../x'" -i ../x save
	refuses 2 "--pin-dir 'save': not an absolute path" --pin-dir save
	refuses 2 "one word too many" save now
	refuses 2 "the service is missing" service add
	refuses 2 "the backend is missing" backend add 10.0.0.10:80/tcp
	refuses 2 "'polic': unknown keyword; did you mean 'policy'" \
		service add 10.0.0.10:81/tcp polic hash
	refuses 2 "'weigth': unknown keyword; did you mean 'weight'" \
		backend add 10.0.0.10:80/tcp 10.0.0.4 weigth 3
	refuses 2 "'weight': its value is missing" backend add 10.0.0.10:80/tcp 10.0.0.4 weight
	refuses 2 "'policy': its value is missing" service add 10.0.0.10:81/tcp policy
	refuses 2 "given twice" backend add 10.0.0.10:80/tcp 10.0.0.4 weight 1 weight 2
	refuses 2 "mode 'nativ': .*did you mean 'native'" chain attach v1 mode nativ
	refuses 2 "priority '70000'" chain attach v1 priority 70000
	refuses 2 "flows '3'" chain attach v1 flows 3
	refuses 2 "interface is missing" chain attach
	refuses 1 "cannot open: No such file" apply "$tmp/none"
	refuses 2 "file to apply" apply
}

bad_services() {
	refuses 2 "10.0.0.256:80/tcp': not an IPv4 or IPv6 address" \
		service add 10.0.0.256:80/tcp
	refuses 2 "the port is not a number from 1 to 65535" service add 10.0.0.10:0/tcp
	refuses 2 "the port is not a number from 1 to 65535" service add 10.0.0.10:65536/tcp
	refuses 2 "the port is missing" service add 10.0.0.10/tcp
	refuses 2 "icmp has no ports" service add 10.0.0.10:80/icmp
	refuses 2 "ends before it begins" service add 10.0.0.10:90-80/tcp
	refuses 2 "out of range" service add 10.0.0.0/33:80/tcp
	refuses 2 "bits are set behind the prefix length; did you mean '10.0.0.0/28:80/tcp'" \
		service add 10.0.0.10/28:80/tcp
	refuses 2 "stands behind the ']'" service add '[2001:db8::/64]:80/tcp'
	refuses 2 "the protocol is missing" service add 10.0.0.10:80
	refuses 2 "not tcp, udp or icmp" service add 10.0.0.10:80/sctp
	refuses 2 "IPv6 needs brackets" service add 2001:db8::1:80/tcp
	refuses 1 "is there already; change it with 'service set'" \
		service add 10.0.0.10:80/tcp
	refuses 1 "no such service" service set 10.0.0.10:81/tcp policy hash
	refuses 1 "no such service" service del 10.0.0.10:81/tcp
	refuses 1 "no such service" service show 10.0.0.10:81/tcp
	refuses 1 "policy 'wrr': no such policy; there are .*did you mean 'weighted'" \
		service add 10.0.0.10:81/tcp policy wrr
	refuses 2 "forward 'fulnat': no such mode; did you mean 'fullnat'" \
		service add 10.0.0.10:81/tcp forward fulnat
	refuses 2 "forward 'masq': no such mode; did you mean 'nat'" \
		service add 10.0.0.10:81/tcp forward masq
	refuses 2 "ports '2000-1000'" service add 10.0.0.10:81/tcp ports 2000-1000
	refuses 2 "ports '0-1000'" service add 10.0.0.10:81/tcp ports 0-1000
	refuses 2 "timeout-idle '0'" service add 10.0.0.10:81/tcp timeout-idle 0
	refuses 1 "has timeout-idle only" service add 10.0.0.10:81/udp timeout-closing 9
	refuses 1 "longer than 63" service add 10.0.0.10:81/tcp comment "$(printf '%064d' 0)"
	refuses 2 "what to set is missing" service set 10.0.0.10:80/tcp
}

not_built() {
	refuses 1 "'slots': not built yet" service add 10.0.0.10:81/tcp slots 1
	refuses 1 "persistence 'quic': not built yet; this version has flow, none and client" \
		service add 10.0.0.10:81/tcp persistence quic
	refuses 2 "unknown keyword; did you mean .sample." trace sampel 3
	refuses 1 "not built yet" chain upgrade
	refuses 1 "'reason': not built yet" flow show reason no-route
}

bad_backends() {
	refuses 1 "10.0.0.2:8080' is in 10.0.0.10:80/tcp already" \
		backend add 10.0.0.10:80/tcp 10.0.0.2:8080
	refuses 2 "10.0.1.700:80': not an IPv4 or IPv6 address" \
		backend add 10.0.0.10:80/tcp 10.0.1.700:80
	refuses 2 "the port is not a number" backend add 10.0.0.10:80/tcp 10.0.0.4:0
	refuses 2 "the port is not a number" backend add 10.0.0.10:80/tcp 10.0.0.4:65536
	refuses 2 "weight '-1': not a number from 0 to 65535" \
		backend add 10.0.0.10:80/tcp 10.0.0.4 weight -1
	refuses 2 "weight '70000': not a number from 0 to 65535" \
		backend add 10.0.0.10:80/tcp 10.0.0.4 weight 70000
	refuses 2 "state 'donw': .*did you mean 'down'" \
		backend add 10.0.0.10:80/tcp 10.0.0.4 state donw
	refuses 1 "not of the family of" backend add 10.0.0.10:80/tcp 2001:db8::4
	refuses 1 "the service itself" backend add 10.0.0.10:80/tcp 10.0.0.10
	refuses 1 "no such service" backend add 10.0.0.10:81/tcp 10.0.0.4
	refuses 1 "not in 10.0.0.10:80/tcp" backend set 10.0.0.10:80/tcp 10.0.0.4 weight 1
	refuses 1 "not in 10.0.0.10:80/tcp" backend del 10.0.0.10:80/tcp 10.0.0.4
	refuses 1 "not in 10.0.0.10:80/tcp" backend drain 10.0.0.10:80/tcp 10.0.0.4
	refuses 1 "in no service" backend del all 10.0.0.4
	refuses 1 "no service of its family" backend add all 2001:db8::4
	refuses 2 "exclude each other" backend del 10.0.0.10:80/tcp 10.0.0.2:8080 wait 1 force
}

bad_policies() {
	local object=$build/policies/hash.bpf.o

	refuses 1 "'rr': no such policy; there are .*; did you mean 'round-robin'" policy set rr
	refuses 1 "'hsah': no such policy; there are .*hash.*; did you mean 'hash'" \
		policy set hsah
	refuses 1 "no such service" policy set hash service 10.0.0.10:81/tcp
	refuses 2 "name is missing" policy set
	refuses 1 "$tmp/none" policy load "$tmp/none"
	head -c 3000 "$object" >"$tmp/truncated.bpf.o"
	refuses 1 "truncated.bpf.o" policy load "$tmp/truncated.bpf.o"
	echo "no object" >"$tmp/text.bpf.o"
	refuses 1 "text.bpf.o" policy load "$tmp/text.bpf.o"
	refuses 1 "lb_entry.bpf.o" policy load "$build/progs/lb_entry.bpf.o"
	refuses 1 "lbctl" policy load "$lbctl"
	refuses 1 "policy 'hash': is loaded already" policy load "$object"
	does "the shipped object is loaded again" lb -q policy load "$object" replace
	counts "in its own place" 3 "^(round-robin|hash|weighted) " lb policy show
}

bad_files() {
	refuses_file "^$tmp/file:3: backend '10.0.1.700:80': not an IPv4 or IPv6 address" <<-EOF
		service add 10.0.0.11:80/tcp
		backend add 10.0.0.11:80/tcp 10.0.1.1:80
		backend add 10.0.0.11:80/tcp 10.0.1.700:80
	EOF
	refuses_file "^$tmp/file:2: .* there already" <<-EOF
		service add 10.0.0.12:80/tcp
		service add 10.0.0.12:80/tcp
	EOF
	refuses_file "^$tmp/file:1: .*no such object" <<<"servce add 10.0.0.12:80/tcp"
	refuses_file "^$tmp/file:1: .*cannot stand in a file" <<<"service show"
	refuses_file "^$tmp/file:1: .*closing" <<<'service add 10.0.0.12:80/tcp comment "x'
	refuses_file "^$tmp/file:1: .*no such policy" <<<"policy set elephant"
	refuses_file "^$tmp/file:2: .*cannot stand in a file" <<-EOF
		service add 10.0.0.13:80/tcp
		backend drain 10.0.0.13:80/tcp 10.0.0.2:8080 wait 1s
	EOF
	refuses_file "nope0: no such interface" <<-EOF
		chain attach v0 nope0
		service add 10.0.0.12:80/tcp
	EOF
	printf 'service add 10.0.0.14:80/tcp\n\0\n' >"$tmp/zero"
	refuses 1 "zero byte" apply "$tmp/zero"
}

limits() {
	python3 -c '
for i in range(4097):
    print(f"service add 10.1.{i >> 8}.{i & 255}:80/tcp")' >"$tmp/many"
	refuses 1 "^$tmp/many:4097: .*4096 services.*limit" apply "$tmp/many"
	python3 -c '
print("service add 10.1.0.1:80/tcp")
for i in range(16384):
    print(f"backend add 10.1.0.1:80/tcp 10.2.{i >> 8}.{i & 255}")' >"$tmp/many"
	refuses 1 "^$tmp/many:16385: .*16383 backends.*limit" apply "$tmp/many"
}

# ---- the system ----------------------------------------------------------------

bad_system() {
	local config i value

	refuses 1 "v2: the chain is not attached there" chain detach v2
	refuses 1 "no such interface" chain show nope0
	refuses 1 "flows 1024: the table was made for" chain attach v1 flows 1024

	in_ns ip link set v2 xdpdrv obj "$build/tests/net/pass.bpf.o" sec xdp 2>"$tmp/err"
	test_is $? "(a foreign program is on v2)" "$(cat "$tmp/err")"
	refuses 1 "v2: .*XDP program" chain attach v2
	in_ns "$lbctl" --pin-dir "$pins-2" chain attach v2 >"$tmp/out" 2>"$tmp/err"
	[ $? -eq 1 ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] && [ ! -e "$pins-2" ]
	test_is $? "... nor with a new instance, which leaves nothing" "$(cat "$tmp/err")"
	in_ns ip link set v2 xdpdrv off

	in_ns ip link set v0 xdpdrv off
	prints "a chain that somebody took off is a problem" '^! v0  somebody took' lb
	prints "attaching again repairs it" 'ALONE|^$' lb chain attach v0
	counts "for good" 0 'somebody' lb

	prints "no capability is named" 'CAP_(BPF|NET_ADMIN|SYS_ADMIN)' \
		in_ns setpriv --bounding-set -all "$lbctl" --pin-dir "$pins" save
	# Not all mounts: in a chroot / is none, and unshare would refuse.
	prints "the one that is missing is, too" 'CAP_NET_ADMIN' \
		in_ns setpriv --bounding-set -net_admin "$lbctl" --pin-dir "$pins" chain attach v1
	for i in "attach v1" "detach v0"; do
		# shellcheck disable=SC2086  # words
		prints "chain $i says that it takes more" 'CAP_SYS_ADMIN' \
			in_ns setpriv --bounding-set -sys_admin "$lbctl" --pin-dir "$pins" chain $i
	done
	in_ns ip link show v1 | grep -q xdp
	test_is $((! $?)) "... and leaves no program behind"
	in_ns sysctl -qw net.ipv4.conf.lo.forwarding=0
	prints "forwarding that is off is a problem" '^! net.ipv4.conf.lo.forwarding  is 0' lb
	in_ns sysctl -qw net.ipv4.conf.lo.forwarding=1
	prints "bpffs that is not mounted is named" 'bpffs.*mount|mount.*bpf' \
		unshare -m --propagation unchanged sh -c "mount --make-rprivate /sys &&
			umount -l /sys/fs/bpf && exec $lbctl save"

	config=$(find "$pins" -name lb_config)
	value=$(bpftool -j map dump pinned "$config" | python3 -c '
import json, sys
value = [int(x, 16) for x in json.load(sys.stdin)[0]["value"]]
print(*value)')
	# shellcheck disable=SC2086  # words
	set -- $value
	bpftool map update pinned "$config" key 0 0 0 0 value "${@:1:8}" 77 "${@:10}"
	lb save >"$tmp/out" 2>"$tmp/err"
	[ $? -eq 1 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] &&
		grep -q "abi.* 77\|ABI.* 77" "$tmp/err"
	test_is $? "pins of another ABI are not touched" "$(cat "$tmp/err" "$tmp/out")"
	bpftool map update pinned "$config" key 0 0 0 0 value "$@"
	does "(and are good again)" lb save
}

no_instance
readme
by_name
all_json
bad_words
bad_services
not_built
bad_backends
bad_policies
bad_files
limits
bad_system
finish
