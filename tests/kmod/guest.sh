# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A virtual machine for the kernel module: Debian's cloud kernel, emulated, with an initramfs put
# together from programs of this host. Sourced from the top of the tree.

build=${BUILD:-build}
image=$build/kmod-image

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

# What every guest needs, and what one with this name needs besides.
guest_begin() { # NAME PROGRAM...
	work=$build/kmod-$1
	root=$work/root
	shift
	[ "$(uname -m)" = x86_64 ] || skip "the emulated machine is an x86-64 one"
	[ -f "$build/kmod/tandem.ko" ] || skip "no module (make kmod; needs kernel headers: make deps)"
	for tool in qemu-system-x86_64 busybox cpio ip ldd "$@"; do
		command -v "$tool" >/dev/null 2>&1 || skip "$tool is missing (make deps)"
	done
	release=$(strings "$build/kmod/tandem.ko" | sed -n 's/^vermagic=\([^ ]*\) .*/\1/p')
	guest_image || skip "no linux-image-$release to be had"
}

# The image of the very kernel that the module was built for: not installed, only unpacked.
guest_image() {
	[ -f "$image/boot/vmlinuz-$release" ] && return
	mkdir -p "$image"
	(cd "$image" && apt-get download "linux-image-$release" >download.log 2>&1 &&
		dpkg -x linux-image-"$release"_*.deb . && rm -f linux-image-*.deb)
}

# An empty root with init, the module and what tests it there.
root_begin() { # INIT
	rm -rf "$root"
	mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
	for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$1" "$root/init"
	cp "$build/kmod/tandem.ko" "$root/"
	objcopy --remove-section .BTF "$root/tandem.ko" "$root/tandem_plain.ko"
	kmod/btf.sh "$root/tandem.ko" "$image/boot/vmlinuz-$release" || true
	# in an order in which they can be loaded; "modules" has their names
	for module in veth cryptd crypto_simd gf128mul ghash-generic ctr gcm aesni-intel; do
		cp "$(find "$image" -name "$module.ko")" "$root/"
		echo "$module" >>"$root/modules"
	done
}

# The libraries that files are linked with, at the places where the loader looks for them.
root_libraries() { # FILE...
	ldd "$@" 2>/dev/null | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' | sort -u |
		while read -r lib; do
			[ -e "$root$lib" ] && continue
			mkdir -p "$root$(dirname "$lib")"
			cp -L "$lib" "$root$lib"
		done
}

# Programs of this host, found by name, with their libraries.
root_programs() { # NAME...
	for program; do
		path=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$program") || continue
		cp -L "$path" "$root/usr/sbin/$program"
		root_libraries "$path"
	done
}

# Boot, and print what the guest says as numbered TAP. It must end with "guest: done".
guest_run() { # SECONDS MEGABYTES
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"
	timeout -k 5 "$1" nice -n 10 qemu-system-x86_64 -accel tcg -cpu max -m "$2" -smp 2 -nographic \
		-no-reboot -nodefaults -serial stdio -monitor none \
		-kernel "$image/boot/vmlinuz-$release" -initrd "$work/initramfs" \
		-append 'console=ttyS0 quiet panic=-1 oops=panic' \
		</dev/null 2>"$work/qemu.log" | tr -d '\r' >"$work/console"
	awk '/^(not )?ok - / { n++; sub(/ok - /, "ok " n " - "); print; next }
		/^#/ { print }
		END { print "1.." n + 0 }' "$work/console" >"$work/tap"
	if grep -q '^guest: done' "$work/console"; then
		cat "$work/tap"
	else
		sed '$d' "$work/tap"
		tail -n 20 "$work/console" | sed 's/^/# /'
		n=$(($(grep -cE '^(not )?ok' "$work/tap") + 1))
		echo "not ok $n - the guest came to its end"
		echo "1..$n"
	fi
}
