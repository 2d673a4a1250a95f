#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm.sh [-k SERIES] [-t SECONDS] SCRIPT [ARG...] - run a script of this tree under
# another kernel.
#
# Boots Debian's kernel SERIES (6.1) in an emulated machine whose files are this one's,
# read-only, with a tmpfs over them: what the guest writes is gone afterwards. SCRIPT runs
# as root in the current folder, its output is vm.sh's, and so is its exit status; 124: not
# done after SECONDS (300), 125: the guest died. No /dev/kvm needed, and no network but what
# VM_CARDS has, words for qemu.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
series=6.1 seconds=300
while getopts k:t: option; do
	case $option in
	k) series=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || {
	echo "vm.sh: which script? (vm.sh [-k SERIES] [-t SECONDS] SCRIPT [ARG...])" >&2
	exit 2
}
kernel=$("$here/kernel.sh" "$series")
store=$(dirname "$kernel")

# One at a time: under emulation two would only slow each other into timeouts.
exec 9>"$store/.vm"
flock 9
run=$(mktemp -d "$store/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
trap 'exit 130' INT TERM

printf '%s\n' "$kernel/lib/modules" >"$run/modules"
{
	printf 'export PATH=%q HOME=/root LC_ALL=C.UTF-8 BUILD=%q\n' \
		/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$(dirname "$store")"
	printf 'cd %q && exec' "$PWD"
	printf ' %q' "$@"
	echo
} >"$run/command"

# thread=single: with one thread per CPU the emulation races with the kernel's patching
# of its own code (tail calls with a constant index) and guests crash.
qemu=(qemu-system-x86_64 -accel "tcg,thread=single" -cpu max -smp 2 -m 1536M
	-nodefaults -nographic -no-reboot -monitor none
	-serial "file:$run/console" -serial stdio
	-kernel "$kernel/vmlinuz" -initrd "$kernel/initrd"
	-append "console=ttyS0 quiet loglevel=4 panic=-1 nokaslr mitigations=off"
	-virtfs "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"
	-virtfs "local,path=$run,mount_tag=run,security_model=none,multidevs=remap")
# shellcheck disable=SC2206 # words
qemu+=(${VM_CARDS:-})
status=0
timeout --foreground -k 5 "$seconds" "${qemu[@]}" </dev/null 9>&- || status=$?
if [ -s "$run/status" ]; then
	exit "$(cat "$run/status")"
fi
echo "vm.sh: the guest did not finish (qemu: $status); its console ends:" >&2
tail -n 40 "$run/console" >&2
[ "$status" -eq 124 ] || status=125
exit "$status"
