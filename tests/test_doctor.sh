#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_doctor.sh - lbctl doctor finds each fault that can be made here, and does not find it
# where it is not.
#
# What takes another kernel, other people's XDP programs or a network card is in tests/vm.
#
# shellcheck disable=SC2317 # functions are called as other functions' arguments
# shellcheck disable=SC2016 # dollars of inner shells
# shellcheck source=tests/cli_lab.sh
. "$(dirname "$0")/cli_lab.sh"

service=10.0.0.10:80/tcp
far=$ns-far

# finds VERDICT CHECK OBJECT REGEX COMMAND...: one of doctor's rows.
finds() {
	local row="$1 +$2 +$3 +.*$4" name="$1: $2 of $3: $4"

	shift 4
	prints "$name" "^$row" "$@"
}

# healthy CHECK OBJECT COMMAND...: a row says ok, and no other of this check says otherwise.
healthy() {
	local check=$1 object=$2

	shift 2
	finds ok "$check" "$object" '' "$@"
	counts "... and nothing else" 0 "^(warn|fail) +$check +$object " "$@"
}

# exits STATUS NAME COMMAND...
exits() {
	local want=$1 name=$2 got

	shift 2
	"$@" >"$tmp/out" 2>&1
	got=$?
	test_is $((got != want)) "$name" "exit status $got, not $want
$(head -c 2000 "$tmp/out")"
}

in_far() {
	nsenter --net="/run/netns/$far" "$@"
}

# ---- the machine ---------------------------------------------------------------------------

# in_place_of FILE TEXT COMMAND...: the command reads TEXT there; nobody else does.
in_place_of() {
	local file=$1

	printf '%s\n' "$2" >"$tmp/instead"
	shift 2
	unshare -m --propagation unchanged sh -c 'mount --make-rprivate /proc &&
		mount --bind "$1" "$2" && shift 2 && exec "$@"' - \
		"$tmp/instead" "$file" "$@"
}

machine() {
	local doctor=("$lbctl" --pin-dir "$pins" doctor)

	healthy kernel '[^ ]+' lb doctor
	finds fail kernel '2\.6\.[^ ]+' 'before 5\.12' setarch --uname-2.6 "${doctor[@]}"
	exits 1 "... and fails" setarch --uname-2.6 "${doctor[@]}"
	finds '(ok|warn)' libxdp '[^ ]+' 'libxdp 1\.' lb doctor
	healthy type xdp lb doctor
	healthy type sched_cls lb doctor
	finds '(ok|warn)' type ext 'programs of this type are' lb doctor
	finds '(ok|warn)' type tracing 'programs of this type are' lb doctor

	healthy bpffs /sys/fs/bpf lb doctor
	finds fail bpffs /sys/fs/bpf 'not mounted.*mount -t bpf' \
		unshare -m --propagation unchanged sh -c 'mount --make-rprivate /sys &&
			umount /sys/fs/bpf && exec "$0" doctor' "$lbctl"

	healthy capabilities lbctl lb doctor
	finds fail capabilities lbctl 'missing: CAP_BPF CAP_PERFMON CAP_NET_ADMIN' \
		setpriv --bounding-set -all --inh-caps -all "${doctor[@]}"
	finds fail type xdp 'refused: there is no chain' \
		setpriv --bounding-set -all --inh-caps -all "${doctor[@]}"
	healthy memlock lbctl lb doctor
	finds warn memlock lbctl '65536 bytes: maps may be refused' \
		prlimit --memlock=65536 setarch --uname-2.6 "${doctor[@]}"

	healthy jit kernel lb doctor
	finds warn jit kernel 'off: .*bpf_jit_enable=1' \
		in_place_of /proc/sys/net/core/bpf_jit_enable 0 "${doctor[@]}"
	finds warn jit net.core.bpf_jit_harden 'is 2' \
		in_place_of /proc/sys/net/core/bpf_jit_harden 2 "${doctor[@]}"
}

# ---- an interface without the chain ---------------------------------------------------------

interface() {
	exits 1 "an interface that is none is refused" lb doctor nowhere
	healthy interface v1 lb doctor v1
	healthy native v1 lb doctor v1
	healthy lro v1 lb doctor v1
	in_ns ip link set v1 down
	finds fail interface v1 'down: .*ip link set v1 up' lb doctor v1
	exits 1 "... and fails" lb doctor v1
	in_ns ip link set v1 up

	with_queues v1 1
	if [ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ]; then
		finds warn queues v1 '1 of 2 receive queues.* ethtool -L v1 rx 2' lb doctor v1
	fi
	with_queues v1 2
	healthy queues v1 lb doctor v1

	in_ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v1.rp_filter=0
	healthy rp_filter v1 lb doctor v1
	in_ns sysctl -qw net.ipv4.conf.v1.rp_filter=1
	finds warn rp_filter v1 'strict.*rp_filter=2' lb doctor v1
	in_ns sysctl -qw net.ipv4.conf.v1.rp_filter=0

	in_ns ip link add br0 type bridge
	finds warn native br0 'driver bridge has no native XDP.*mode skb' lb doctor br0
	in_ns ip link del br0
	finds warn native lo 'no native XDP' lb doctor lo

	counts "no program is on it" 0 '^[a-z]+ +program ' lb doctor v1
	in_ns ip link set v1 xdp obj "$build/tests/net/pass.bpf.o" sec xdp
	finds fail program v1 'pass .id [0-9]+. is attached without.*ip link set v1 xdp off' \
		lb doctor v1
	in_ns ip link set v1 xdp off
}

# with_queues DEV N: of two that it could have.
with_queues() {
	in_ns ip link del "$1"
	in_ns ip link add "$1" numrxqueues 2 numtxqueues 2 type veth \
		peer name p1 numrxqueues 2 numtxqueues 2
	in_ns ethtool -L "$1" rx "$2" tx "$2"
	in_ns ip link set "$1" up
	in_ns ip link set p1 up
}

# ---- a veth, whose other end is here or elsewhere ---------------------------------------------

veth() {
	local pass="$build/tests/net/pass.bpf.o"

	finds fail veth v1 'its other end p1 has no XDP' lb doctor v1
	in_ns ip link set p1 xdpdrv obj "$pass" sec xdp
	finds ok veth v1 'its other end p1 has an XDP' lb doctor v1
	in_ns ip link set p1 xdpdrv off

	finds warn tx-checksum v1 'on: .*ethtool -K v1 tx off' lb doctor v1
	finds warn tx-checksum p1 'on: .*ethtool -K p1 tx off' lb doctor v1
	in_ns ethtool -K v1 tx off >/dev/null
	in_ns ethtool -K p1 tx off >/dev/null
	healthy tx-checksum v1 lb doctor v1
	healthy tx-checksum p1 lb doctor v1

	in_ns ethtool -K v1 rxvlan on >/dev/null
	in_ns ethtool -K p1 txvlan on >/dev/null
	finds warn vlan-offload v1 'on: .*ethtool -K v1 rxvlan off' lb doctor v1
	finds warn vlan-offload p1 'on: .*ethtool -K p1 txvlan off' lb doctor v1
	in_ns ethtool -K v1 rxvlan off >/dev/null
	in_ns ethtool -K p1 txvlan off >/dev/null
	healthy vlan-offload v1 lb doctor v1
	healthy vlan-offload p1 lb doctor v1

	ip netns add "$far"
	in_ns ip link set p1 netns "$far"
	finds fail veth v1 'its other end p1, in another namespace, has no' lb doctor v1
	in_far ip link set p1 xdpdrv obj "$pass" sec xdp
	finds ok veth v1 'its other end p1, in another namespace, has an' lb doctor v1
}

# ---- an instance ------------------------------------------------------------------------------

# slot_emptied MAP SLOT COMMAND...: while it runs; only where who emptied it can fill it again.
slot_emptied() {
	bpftool map delete pinned "$pins/maps/$1" key "$2" 0 0 0
	shift 2
	"$@"
}

instance() {
	finds warn pins "$pins" 'there is no instance yet.*lbctl chain attach' lb doctor
	lb -q chain attach v0 mode skb
	lb -q service add $service
	lb -q backend add $service 10.0.0.2:8080
	healthy pins "$pins" lb doctor
	healthy slot chain lb doctor
	healthy flows 'flow table' lb doctor
	healthy evictions 'flow table' lb doctor
	healthy filter v0 lb doctor
	finds warn mode v0 'skb: .*which driver veth can.*mode native' lb doctor

	healthy forwarding net.ipv4.conf.lo.forwarding lb doctor
	in_ns sysctl -qw net.ipv4.conf.lo.forwarding=0
	finds fail forwarding net.ipv4.conf.lo.forwarding 'is 0.*sysctl -w' lb doctor
	in_ns sysctl -qw net.ipv4.conf.lo.forwarding=1

	in_ns tc qdisc del dev v0 clsact
	finds fail filter v0 'lb_resolve is not on tc ingress.*lbctl chain attach v0 mode skb' \
		lb doctor
	finds fail filter v0 'lb_local is not on tc egress' lb doctor
	lb -q chain attach v0 mode skb
	healthy filter v0 lb doctor

	finds fail slot 'stage dsr' 'empty.*lbctl clear' slot_emptied lb_stages 2 lb doctor
	finds fail slot 'policy [a-z-]+' 'empty.*policy load' slot_emptied lb_policies 0 lb doctor
	finds fail slot lb_entry 'no stage behind it' slot_emptied lb_root 0 lb doctor
	lb -q clear
}

# The chain taken off by somebody else, its interface renamed and made anew.
hook() {
	lb -q chain attach v0 mode skb
	finds '(ok|warn)' attached v0 '(behind|alone)' lb doctor
	in_ns ip link set v0 xdpgeneric off
	finds fail attached v0 'somebody took lb_entry off.*lbctl chain detach v0' lb doctor
	lb -q clear

	lb -q chain attach v2 mode skb
	in_ns ip link set v2 down
	in_ns ip link set v2 name v7
	finds fail interface v7 'down' lb doctor
	in_ns ip link set v7 name v2
	in_ns ip link del v2
	finds fail interface v2 'it is gone.*lbctl chain detach v2' lb doctor
	in_ns ip link add v2 type veth peer name p2
	finds fail interface v2 'made anew.*lbctl chain attach v2' lb doctor
	finds fail interface v2 'made anew.*lbctl chain attach v2' lb doctor v2
	lb -q clear
}

# In native mode frames go from one interface to another by XDP_REDIRECT.
several() {
	in_ns ip link set v2 up
	in_ns ip link set p2 up
	lb -q chain attach v0 v2
	in_ns ethtool -K p2 gro off >/dev/null
	finds fail redirect v2 'lost: its driver takes none.*GRO' lb doctor
	in_ns ethtool -K p2 gro on >/dev/null
	healthy redirect v2 lb doctor
	lb -q chain detach v2
	counts "of one interface alone it is not said" 0 '^[a-z]+ +redirect ' lb doctor
	lb -q clear
}

bridge() {
	in_ns ip link add br0 type bridge
	in_ns ip link set v2 master br0
	in_ns ip link set br0 up
	lb -q chain attach br0 mode skb
	finds warn mode br0 'which driver bridge cannot' lb doctor
	in_ns ethtool -K v2 gro on >/dev/null
	finds warn gro br0 'v2 below it merges.*ethtool -K v2 gro off' lb doctor
	in_ns ethtool -K v2 gro off >/dev/null
	healthy gro br0 lb doctor
	lb -q clear
	in_ns ip link del br0
}

# ---- backends that have the service's address -----------------------------------------------

start_backend() {
	in_ns ip link set p0 netns "$far"
	in_far ip link set lo up
	in_far ip link set p0 up
	in_far ip addr add 10.0.0.2/24 dev p0
	in_far ip addr add fd00:5::2/64 dev p0 nodad
	in_ns ip addr add fd00:5::10/64 dev v0 nodad
	in_far sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.p0.rp_filter=0
}

addresses() {
	local vip

	start_backend
	lb -q chain attach v0 mode skb
	lb -q service add 10.0.0.100:80/tcp forward dsr
	lb -q backend add 10.0.0.100:80/tcp 10.0.0.2
	lb -q service add "[fd00:5::100]:80/tcp" forward dsr
	lb -q backend add "[fd00:5::100]:80/tcp" "[fd00:5::2]"
	for vip in 10.0.0.100 fd00:5::100; do
		finds fail address "${vip/%100/2}" \
			"pings, but none to $vip .*ip addr add $vip dev lo" lb doctor
		in_far ip addr add "$vip" dev lo
		healthy address "${vip/%100/2}" lb doctor
	done
	in_far sysctl -qw net.ipv4.icmp_echo_ignore_all=1
	finds ok address 10.0.0.2 'answers no pings: it cannot be told' lb doctor
	in_far sysctl -qw net.ipv4.icmp_echo_ignore_all=0
	lb -q service del 10.0.0.100:80/tcp
	lb -q service add 10.0.0.100:80/tcp forward ipip
	lb -q backend add 10.0.0.100:80/tcp 10.0.0.2
	finds fail address 10.0.0.2 'none to 10.0.0.100 in a tunnel.*a tunnel device' lb doctor
	lb -q clear
	in_far ip link set p0 netns "$ns"
	in_ns ip link set p0 up
}

# ---- tables ------------------------------------------------------------------------------------

# More clients than there are places: frames of UDP, one for each port.
flood='
import socket, struct, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("p0", 0))
to = bytes.fromhex(open("/sys/class/net/v0/address").read().strip().replace(":", ""))
def ip(protocol, n):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + n, 0, 0, 64, protocol, 0,
                       socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.10"))
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", total ^ 0xffff) + head[12:]
for port in range(2000, 3000):
    out.send(to + bytes(6) + b"\x08\x00" + ip(17, 9) + struct.pack("!HHHH", port, 53, 9, 0) + b"x")'

send_flood() {
	# /sys is of the namespace that it is mounted in.
	in_ns unshare -m --propagation unchanged sh -c 'mount --make-rprivate /sys &&
		mount -t sysfs sysfs /sys && exec python3 -c "$0"' "$flood"
}

tables() {
	lb -q chain attach v0 mode skb flows 64
	finds warn flows 'flow table' '64 places for [0-9]+ CPUs' lb doctor
	lb -q service add 10.0.0.10:53/udp
	lb -q backend add 10.0.0.10:53/udp 10.0.0.2:53
	in_ns ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0
	send_flood
	finds warn evictions 'flow table' 'live flows had to make room.*flows N' lb doctor
	finds warn flows 'flow table' '[0-9]+ of 64 places are taken' lb doctor
	lb -q clear
}

# ---- pins of others -----------------------------------------------------------------------------

# made_by ABI DIR: what an instance of that ABI version begins with.
made_by() {
	local value

	mkdir -p "$2/maps"
	value=$(python3 -c 'import struct, sys
print(*struct.pack("<QI", 0x7377746368796172, int(sys.argv[1])) + bytes(100))' "$1")
	bpftool map create "$2/maps/lb_config" type array key 4 value 112 entries 1 \
		name lb_config flags 0x400
	# shellcheck disable=SC2086 # bytes
	bpftool map update pinned "$2/maps/lb_config" key 0 0 0 0 value $value
}

versions() {
	local other=/sys/fs/bpf/swy-other-$$ value

	made_by 99 "$other"
	finds warn pins "$other" 'another instance, of ABI 99' lb doctor
	finds fail pins "$other" 'made with ABI 99' lb --pin-dir "$other" doctor
	exits 1 "... and fails" lb --pin-dir "$other" doctor
	rm -r "$other"
	counts "it is gone" 0 "^[a-z]+ +pins +$other " lb doctor

	mkdir -p "$pins/maps"
	finds fail pins "$pins" 'no complete instance.*lbctl chain attach' lb doctor
	lb -q chain attach v0 mode skb
	# The version is the last of the record.
	value=$(bpftool -j map lookup pinned "$pins/maps/lb_config" key 0 0 0 0 | python3 -c '
import json, sys
value = [int(b, 16) for b in json.load(sys.stdin)["value"]]
print(*value[:-24] + list(b"0.0.1".ljust(24, b"\0")))')
	# shellcheck disable=SC2086 # bytes
	bpftool map update pinned "$pins/maps/lb_config" key 0 0 0 0 value $value
	finds warn pins "$pins" 'stages of version 0\.0\.1.*lbctl clear' lb doctor
	lb -q clear
}

json() {
	is_json checks doctor
	prints "rows have all that the table has" "^check found object remedy verdict$" \
		sh -c 'python3 -c "
import json, sys
print(*sorted(json.load(sys.stdin)[\"checks\"][0]))" <"$0"' "$tmp/json"
}

trap 'ip netns del "$far" 2>/dev/null; rm -rf "/sys/fs/bpf/swy-other-$$"; cleanup' EXIT
machine
interface
veth
instance
hook
several
bridge
addresses
tables
versions
json
finish
