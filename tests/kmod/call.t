#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# All of tandem with the kernel module as its datapath, in a virtual machine that has what the
# scripts of tests/netns need: a real call with its audio compared, rules by the thousand, a call
# that is secured on one side, from which controller and module are taken away.
# tests/kmod/init_call.sh is what happens in there. Takes two minutes or so, and never more than eight.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/kmod/guest.sh
guest_begin call bash baresip tshark tcpdump ethtool nsenter ss python3
tools=$build/tests/tools
for file in "$build/tandem" "$tools/g711cmp" "$tools/churn"; do
	[ -x "$file" ] || skip "$file is not built (make kmod-test builds it)"
done

root_begin tests/kmod/init_call.sh
root_programs bash ip ss ethtool nsenter sysctl ps tshark tcpdump baresip awk sed grep \
	timeout sleep cat cut head tail wc sort uniq ls ln mkdir mkfifo mktemp rm mv cp basename \
	dirname date id tr touch nproc stat env readlink seq tee
# What they open by name.
modules=/usr/lib/baresip/modules
mkdir -p "$root$modules" "$root/etc" "$root/tree/build/tests/tools"
for module in g711 aufile aubridge sndfile srtp dtls_srtp ice account menu ctrl_tcp; do
	cp "$modules/$module.so" "$root$modules/"
	root_libraries "$modules/$module.so"
done
# Python with the modules that the scripts import, compiled: emulation is slow.
python=$(readlink -f /usr/bin/python3)
cp "$python" "$root/usr/bin/python3"
root_libraries "$python"
"$python" -c '
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_8
import json, math, os, random, re, selectors, socket, struct, sys, wave
for m in list(sys.modules.values()):
    if getattr(m, "__file__", None):
        print(m.__file__)' | while read -r file; do
	mkdir -p "$root$(dirname "$file")"
	cp "$file" "$root$file"
	case $file in *.so) root_libraries "$file" ;; esac
done
"$python" -m compileall -q --invalidation-mode unchecked-hash "$root$(dirname "$python")/../lib" ||
	skip "python3 cannot compile its own modules"
printf 'root:x:0:0:root:/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
cp "$build/tandem" "$root/tree/build/"
cp "$tools/g711cmp" "$tools/churn" "$root/tree/build/tests/tools/"
root_libraries "$build/tandem" "$tools/g711cmp" "$tools/churn"
cp -r tests "$root/tree/"
# More sound than the call lasts, made here where that is quick.
mkdir "$root/wavs"
for user in alice bob; do
	bash -c '. tests/netns/lib.sh; tone_wav "$@"' - "$root/wavs/$user.wav" 60 || skip "no sound"
done
guest_run 480 2048
