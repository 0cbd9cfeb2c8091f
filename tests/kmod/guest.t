#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel module in a virtual machine with nothing but busybox, ip, the module, its clients and
# the packet vectors. tests/kmod/init.sh is what happens in there; its lines are numbered here.
# Takes two minutes, and never more than four.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/kmod/guest.sh
guest_begin guest
client=$build/tests/kmod/client
fans=$build/tests/kmod/fans
srtp=$build/tests/kmod/srtp
kfuncs=$build/tests/kmod/kfuncs
xdp=$build/tests/kmod/xdp
vectors=$build/tests/kmod/vectors
for file in "$client" "$fans" "$srtp" "$kfuncs" "$xdp" "$vectors"; do
	[ -x "$file" ] || skip "$file is not built (make kmod-test builds it)"
done
root_begin tests/kmod/init.sh
cp "$client" "$fans" "$srtp" "$kfuncs" "$xdp" "$vectors" "$root/"
cp -r tests/vectors "$root/vec"
root_programs ip
root_libraries "$client" "$fans" "$srtp" "$kfuncs" "$xdp" "$vectors"
guest_run 240 512
