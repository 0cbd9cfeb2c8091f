#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Give the module BTF, which goes on from that of the kernel it is for: without, BPF programs cannot
# call its functions (kmod/kfuncs.h). Debian's kernel headers are without vmlinux and without
# resolve_btfids, so kbuild leaves this out. Needs pahole, and for a kernel image that is packed by
# lz4 that too.
#
# Usage: btf.sh MODULE KERNEL    KERNEL: /sys/kernel/btf/vmlinux of that very kernel, or its vmlinuz
set -eu
here=$(dirname "$0")
module=$1 kernel=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

say() {
	echo "kmod: no BTF: $*" >&2
	exit 1
}

# number FILE OFFSET BYTES: little endian
number() {
	od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# vmlinux out of a bzImage: its header says where the packed kernel is (x86's boot protocol).
unpack() {
	start=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4)))
	tail -c "+$((start + 1))" "$1" | head -c "$(number "$1" 588 4)" >"$tmp/packed"
	case $(od -An -v -t x1 -N 4 "$tmp/packed" | tr -d ' ') in
	02214c18) program=lz4 ;;
	28b52ffd) program=zstd ;;
	fd377a58) program=xz ;;
	1f8b*) program=gzip ;;
	*) say "$1 is packed in a way that is not known here" ;;
	esac
	command -v "$program" >/dev/null || say "$program is missing"
	# the four bytes behind the packed kernel, its length, are not for the program
	"$program" -dc <"$tmp/packed" >"$tmp/vmlinux" 2>/dev/null || [ -s "$tmp/vmlinux" ]
}

command -v pahole >/dev/null || say "pahole is missing"
[ -r "$kernel" ] || say "$kernel cannot be read"
case $kernel in
/sys/*) strings "$module" | grep -q "^vermagic=$(uname -r) " || say "the module is for another kernel than runs" ;;
esac
base=$kernel
if [ "$(od -An -v -t x1 -j 514 -N 4 "$kernel" | tr -d ' ')" = 48647253 ]; then # "HdrS"
	unpack "$kernel"
	base=$tmp/vmlinux
fi
${CC:-cc} -O2 "$here/btf_ids.c" -o "$tmp/btf_ids"
cp "$module" "$tmp/tandem.ko"
LLVM_OBJCOPY=objcopy pahole -J --btf_gen_floats --btf_base "$base" "$tmp/tandem.ko"
"$tmp/btf_ids" "$tmp/tandem.ko" "$base"
mv "$tmp/tandem.ko" "$module"
