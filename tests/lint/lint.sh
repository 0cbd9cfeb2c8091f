#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Formatting, licence lines, include directions, scripts, spelling. A missing tool is said, not passed over.
set -u
status=0
fail() {
	echo "lint: $1" >&2
	status=1
}
have() {
	command -v "$1" >/dev/null 2>&1 || {
		echo "lint: skipped $2: $1 is not installed" >&2
		return 1
	}
}
# tracked PATTERN...: the project's files of such names, also outside a git checkout.
tracked() {
	git ls-files -co --exclude-standard -- "$@" 2>/dev/null && return
	for pattern in "$@"; do
		find . -path ./build -prune -o -type f -name "$pattern" -print
	done
}

for f in $(tracked '*.c' '*.h' '*.def' '*.sh' '*.t' '*.py' Makefile Kbuild '*.yaml' .clang-format .gitignore .shellcheckrc); do
	head -n 2 "$f" | grep -q 'SPDX-License-Identifier: ' || fail "$f: no SPDX line"
done
tests/lint/includes.sh || fail "include directions"
if have clang-format formatting; then
	tracked '*.c' '*.h' | xargs clang-format --dry-run -Werror || fail "formatting (run make format)"
fi
if have shellcheck scripts; then
	tracked '*.sh' '*.t' | xargs shellcheck -S warning .ci/run || fail "scripts"
fi
if have codespell spelling; then
	tracked '*.c' '*.h' '*.md' '*.sh' '*.t' '*.8' '*.5' | xargs codespell -q 3 -L clen,ue,nd,te,caf,fo,ser,inout,hsi,medias || fail "spelling"
fi
if have man "man pages"; then
	for m in $(tracked '*.8' '*.5'); do
		out=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$m" 2>&1 >/dev/null)
		[ -z "$out" ] || fail "$m: $out"
	done
fi
[ "$status" -eq 0 ] && echo "lint: ok"
exit "$status"
