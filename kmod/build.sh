#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Build the module in a copy of the tree, build/kmod, against the newest kernel headers installed
# or, with KERNEL_RELEASE set, those of that kernel. A warning is an error.
set -eu
cd "$(dirname "$0")/.."
headers=$(find /lib/modules/${KERNEL_RELEASE:-*}/build -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
if [ -z "$headers" ]; then
	echo "kmod: skipped: no kernel headers (make deps)" >&2
	exit 0
fi
work=${BUILD:-build}/kmod
mkdir -p "$work"
rm -rf "$work/kmod" "$work/core"
cp -pR Kbuild core kmod "$work/"
if ! MAKEFLAGS='' make -C "$headers" M="$(realpath "$work")" modules >"$work/log" 2>&1; then
	cat "$work/log" >&2
	exit 1
fi
if grep -nE '\.[ch]:[0-9].*warning:|WARNING: modpost' "$work/log" >&2; then
	echo "kmod: the module compiles with warnings" >&2
	exit 1
fi
release=$(basename "$(dirname "$headers")")
[ "$release" != "$(uname -r)" ] || kmod/btf.sh "$work/tandem.ko" /sys/kernel/btf/vmlinux || true
echo "kmod: ok: $work/tandem.ko ($release)"
