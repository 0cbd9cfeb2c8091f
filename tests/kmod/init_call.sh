#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# The guest's first process in call.t: loads the module and runs what is in /tree, a part of the
# source tree, with the kernel module as datapath. Prints TAP lines without numbers.
/bin/busybox mkdir -p /dev /proc /sys /run /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t tmpfs tmpfs /run
/bin/busybox ln -s /proc/self/fd /dev/fd
export PATH=/usr/bin:/usr/sbin HOME=/ TERM=dumb LC_ALL=C SLOWER=4 WAVS=/wavs KEEP=1
/bin/busybox dmesg -n 1
echo

# report NAME STATUS LOG
report() {
	if [ "$2" -eq 0 ]; then echo "ok - $1"; else echo "not ok - $1"; fi
	tail -n 40 "$3" | sed 's/^/# /'
	[ "$2" -eq 0 ] || tail -n 15 /tmp/tandem-*/*.log | cut -c1-160 | sed 's/^/# /'
}

while read -r module; do /bin/busybox insmod "/$module.ko"; done </modules
/bin/busybox insmod /tandem.ko selftest=1
ip link set lo up
bash /tree/tests/netns/demo.sh 12 kmod >/tmp/demo.log 2>&1
report "a call between two phones, its audio through the module" $? /tmp/demo.log
timeout 100 bash /tree/tests/kmod/churn.sh
bash /tree/tests/kmod/secure.sh | sed -E 's/^(not )?ok [0-9]+ - /\1ok - a secured call: /'

if /bin/busybox dmesg | grep -E 'WARNING|BUG|Oops|refcount|leak|stall|waiting for|suspicious'; then
	echo "not ok - the kernel has nothing to complain about"
else
	echo "ok - the kernel has nothing to complain about"
fi
echo "guest: done"
/bin/busybox poweroff -f
