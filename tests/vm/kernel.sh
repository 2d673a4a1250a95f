#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel.sh [SERIES] - fetch Debian's kernel of a series (6.1) and make it bootable.
#
# Leaves build/vm/SERIES/ with vmlinuz, lib/modules and an initrd that finds its way to
# the host's files, and prints that folder. What is there already is kept. The package
# comes through the machine's own apt sources; nothing is installed. Not the cloud
# flavour: it lacks 9p, over which the guest reads the host's files.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
series=${1:-6.1}
store=${BUILD:-$here/../../build}/vm
dir=$store/$series

# All that a guest may ask for: the rest of the package is drivers, 300 MB of them.
wanted=(./boot/vmlinuz-* "./lib/modules/*/modules.*" "./lib/modules/*/kernel/net/*"
	"./lib/modules/*/kernel/lib/*" "./lib/modules/*/kernel/crypto/*"
	"./lib/modules/*/kernel/arch/*" "./lib/modules/*/kernel/fs/*"
	"./lib/modules/*/kernel/drivers/virtio/*" "./lib/modules/*/kernel/drivers/net/*.ko*")
needed=(virtio_pci 9pnet_virtio 9p overlay)

say() {
	printf 'kernel.sh: %s\n' "$*" >&2
}

# The newest one that apt knows.
package() {
	apt-cache pkgnames "linux-image-$series" |
		grep -E "^linux-image-${series//./\\.}\.[0-9.]+(-[0-9]+|\+deb[0-9]+)-amd64$" |
		sort -V | tail -1
}

# As root whatever the owner of this folder is: apt's own user may not write here.
download() {
	local name
	name=$(package) || return 1
	say "fetching $name"
	apt-get -q=2 -o APT::Sandbox::User=root download "$name" >&2
}

fetch() {
	cd "$1"
	# The lists may be missing, or older than the last kernel.
	download || { say "updating apt's lists"; apt-get -q=2 update >&2; download; } || {
		say "no linux-image-$series*-amd64 to be had from apt's sources"
		return 1
	}
}

unpack() {
	local version
	dpkg-deb --fsys-tarfile "$1"/*.deb |
		tar -x -C "$1" --wildcards --wildcards-match-slash "${wanted[@]}"
	rm "$1"/*.deb
	mv "$1"/boot/vmlinuz-* "$1/vmlinuz"
	rmdir "$1/boot"
	version=$(ls "$1/lib/modules")
	depmod -b "$1" "$version"
}

# Copy the modules that mounting the host's files takes, list them in order.
modules() {
	local dir=$1 to=$2 version name _ path
	version=$(ls "$dir/lib/modules")
	for name in "${needed[@]}"; do
		modprobe -d "$dir" -S "$version" --show-depends "$name"
	done | while read -r name path _; do
		# builtin, or needed by two
		if [ "$name" != insmod ] || [ -e "$to/${path##*/}" ]; then
			continue
		fi
		case $path in
		*.xz) xz -dc "$path" >"$to/${path##*/}" ;;
		*) cp "$path" "$to/" ;;
		esac
		printf '%s\n' "${path##*/}"
	done >"$to/order"
}

initrd() {
	local root=$1/initrd.d
	mkdir -p "$root"/{bin,proc,sys,dev,host,rw,root,modules}
	cp /bin/busybox "$root/bin/"
	modules "$1" "$root/modules"
	install -m 755 "$here/init" "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$1/initrd.new"
	mv "$1/initrd.new" "$1/initrd"
	rm -r "$root"
}

mkdir -p "$store"
store=$(cd "$store" && pwd) dir=$store/$series
exec 9>"$store/.kernel"
flock 9
if ! [ -e "$dir/vmlinuz" ]; then
	new=$(mktemp -d "$store/.new.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	(fetch "$new")
	unpack "$new"
	chmod 755 "$new"
	rm -rf "$dir"
	mv "$new" "$dir"
fi
if ! [ "$dir/initrd" -nt "$here/init" ] || ! [ "$dir/initrd" -nt "$0" ]; then
	initrd "$dir"
fi
printf '%s\n' "$dir"
