#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel module in a virtual machine with nothing but busybox, ip, the module, a client and
# the packet vectors. tests/kmod/init.sh is what happens in there; its lines are numbered here.
# Takes a minute, and never more than two.
set -u
cd "$(dirname "$0")/../.." || exit 1
name=guest
. tests/kmod/guest.sh
guest_needs
client=$build/tests/kmod/client
vectors=$build/tests/kmod/vectors
[ -x "$client" ] && [ -x "$vectors" ] || skip "no client (make kmod-test builds it)"
root_begin tests/kmod/init.sh
cp "$client" "$vectors" "$root/"
cp -r tests/vectors "$root/vec"
root_programs ip
root_libraries "$client" "$vectors"
guest_run 120 512
