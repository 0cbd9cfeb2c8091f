#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The core stands alone: every header compiles by itself for BPF and for the host,
# without conditionals and without libc. Usage: core.sh CLANG CC
set -eu
clang=$1 cc=$2 status=0
triplet=$("$cc" -dumpmachine)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif|else)\b' core/*.h |
	grep -vE '#ifndef [A-Z0-9_]+_H$'; then
	echo "core: conditionals belong in an env.h" >&2
	status=1
fi
if grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' core/*.h core/*.def |
	grep -v '<linux/types.h>'; then
	echo "core: only <linux/types.h>, core headers and env.h may be included" >&2
	status=1
fi
for h in core/*.h; do
	# a part of an env.h, and no header of its own
	[ "$h" != core/env_arrays.h ] || continue
	printf '#include "%s"\n' "$h" >"$tmp/x.c"
	"$clang" -O2 -target bpf -mcpu=v3 -Wall -Werror -Wno-unused-function -I. -Ibpf \
		"-I/usr/include/$triplet" -c "$tmp/x.c" -o "$tmp/x.o" || status=1
	"$cc" -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-parameter \
		-D_GNU_SOURCE -I. -Iuserspace/uring -c "$tmp/x.c" -o "$tmp/x.o" || status=1
done
[ "$status" -eq 0 ] && echo "core: ok"
exit "$status"
