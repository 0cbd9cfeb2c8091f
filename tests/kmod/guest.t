#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel module in a virtual machine: Debian's cloud kernel, emulated, with nothing but
# busybox, ip, the module and a client in its initramfs. tests/kmod/init.sh is what happens in
# there; its lines are numbered here. Takes half a minute, and never more than ninety seconds.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
work=$build/kmod-guest
client=$build/tests/kmod/client
vectors=$build/tests/kmod/vectors

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

[ "$(uname -m)" = x86_64 ] || skip "the emulated machine is an x86-64 one"
[ -f "$build/kmod/tandem.ko" ] || skip "no module (make kmod; needs kernel headers: make deps)"
for tool in qemu-system-x86_64 busybox cpio ip ldd; do
	command -v "$tool" >/dev/null 2>&1 || skip "$tool is missing (qemu-system-x86, busybox-static, cpio)"
done
[ -x "$client" ] && [ -x "$vectors" ] || skip "no client (make kmod-test builds it)"
release=$(strings "$build/kmod/tandem.ko" | sed -n 's/^vermagic=\([^ ]*\) .*/\1/p')

# The image of the very kernel that the module was built for: not installed, only unpacked.
image() {
	[ -f "$work/image/boot/vmlinuz-$release" ] && return
	mkdir -p "$work/image"
	(cd "$work" && apt-get download "linux-image-$release" >download.log 2>&1 &&
		dpkg -x linux-image-"$release"_*.deb image && rm -f linux-image-*.deb)
}
image || skip "no linux-image-$release to be had"

root=$work/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/lib64"
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$client" "$root/client"
cp "$vectors" "$root/vectors"
cp -r tests/vectors "$root/vec"
cp tests/kmod/init.sh "$root/init"
cp "$build/kmod/tandem.ko" "$root/"
cp "$(find "$work/image" -name veth.ko)" "$root/"
# ip(8) and the libraries it is linked with, at the places it looks for them.
ip=$(readlink -f "$(command -v ip)")
mkdir -p "$root/sbin"
cp "$ip" "$root/sbin/ip"
ldd "$ip" | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' | while read -r lib; do
	mkdir -p "$root$(dirname "$lib")"
	cp -L "$lib" "$root$lib"
done
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initramfs.gz"

timeout -k 5 90 nice -n 15 qemu-system-x86_64 -accel tcg -cpu max -m 512 -smp 2 -nographic -no-reboot \
	-nodefaults -serial stdio -monitor none -kernel "$work/image/boot/vmlinuz-$release" \
	-initrd "$work/initramfs.gz" -append 'console=ttyS0 quiet panic=-1 oops=panic' \
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
