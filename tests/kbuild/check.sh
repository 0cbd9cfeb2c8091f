#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Compile core/ with kernel flags, in a copy of the tree, against the newest installed headers.
set -eu
cd "$(dirname "$0")/../.."
headers=$(find /lib/modules/*/build -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
if [ -z "$headers" ]; then
	echo "kbuild: skipped: no kernel headers (make deps)" >&2
	exit 0
fi
work=build/kbuild
rm -rf "$work"
mkdir -p "$work/tests"
cp -r Kbuild core "$work/"
cp -r tests/kbuild "$work/tests/"
if ! make -C "$headers" M="$PWD/$work" modules >"$work/log" 2>&1; then
	cat "$work/log" >&2
	exit 1
fi
if grep -n 'warning:' "$work/log" >&2; then
	echo "kbuild: the core compiles with warnings" >&2
	exit 1
fi
echo "kbuild: ok ($(basename "$(dirname "$headers")"))"
