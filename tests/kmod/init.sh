#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# The guest's first process: loads the module, runs the client, unloads the module under
# traffic, looks at the kernel's log. Prints TAP lines without numbers.
/bin/busybox mkdir -p /dev /proc /sys /run/netns /tmp /bin
/bin/busybox --install -s /bin
export PATH=/sbin:/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
dmesg -n 1
echo

# The shell prefers its own ip, which knows neither veth nor netns.
ip() { /sbin/ip "$@"; }
ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1"; }
try() { # NAME COMMAND...
	name=$1
	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name: $out"; fi
}

link() { # NETNS THERE HERE N
	ip netns add "$1"
	ip link add "$3" type veth peer name "$2" netns "$1"
	ip addr add "10.$4.0.1/24" dev "$3"
	ip addr add "fd0$4::1/64" dev "$3" nodad
	ip link set "$3" up
	ip -n "$1" addr add "10.$4.0.2/24" dev "$2"
	ip -n "$1" addr add "fd0$4::2/64" dev "$2" nodad
	ip -n "$1" link set lo up
	ip -n "$1" link set "$2" up
}

while read -r module; do insmod "/$module.ko"; done </modules
try "the module loads, and its self-test passes" insmod /tandem.ko selftest=1
dmesg | grep -q 'SRTP: 9 of 9' && ok "with every cipher" || not_ok "with every cipher"
ip link set lo up
link a va0 va1 1
link b vb0 vb1 2
/client call || echo "# client: status $?"
/fans call || echo "# fans: status $?"
/srtp || echo "# srtp: status $?"
if [ -e /sys/kernel/btf/tandem ]; then
	/kfuncs call || echo "# kfuncs: status $?"
	/xdp call || echo "# xdp: status $?"
else
	ok "the module's functions for BPF programs # SKIP it has no BTF (needs pahole and lz4: make deps)"
fi

# The network that tests/bpf/vec_net.h draws, as far as IP can tell, and a way in: q0 to w0.
vectors_net() {
	ip netns add v
	ip -n v link set lo up
	ip -n v link add w0 address 02:00:00:00:00:01 type veth peer name q0
	ip -n v link add v0 address 02:00:00:00:01:01 type veth peer name p0
	ip -n v link add v4 address 02:00:00:00:04:01 type veth peer name p4
	for dev in w0 q0 v0 p0 v4 p4; do ip -n v link set "$dev" up; done
	# Groups are reached by v0, which therefore has the media addresses.
	ip -n v addr add 10.0.0.1/32 dev v0
	ip -n v addr add fd00::1/128 dev v0 nodad
	ip -n v addr add 10.0.0.3/24 dev w0
	ip -n v addr add fd00::3/64 dev w0 nodad
	ip -n v addr add 10.4.0.1/24 dev v4
	ip -n v neigh add 10.4.0.2 lladdr 02:00:00:00:04:02 dev v4 nud permanent
	ip -n v addr add 10.1.0.1/24 dev v0
	ip -n v addr add 10.7.0.1/24 dev v0
	ip -n v addr add fd01::1/64 dev v0 nodad
	ip -n v neigh add 10.1.0.2 lladdr 02:00:00:00:01:02 dev v0 nud permanent
	ip -n v neigh add 10.7.0.2 lladdr 02:00:00:00:07:02 dev v0 nud permanent
	ip -n v neigh add fd01::2 lladdr 02:00:00:00:01:02 dev v0 nud permanent
}
vectors_net
ip netns exec v /vectors /vec/*.vec || echo "# vectors: status $?"

# Packets from here on, until flood_end; true once they come through.
flood_begin() { # PROGRAM
	: >/tmp/flood # at once: what it has of an earlier time is not to be taken for this one's
	"$1" flood >/tmp/flood 2>&1 &
	flood=$!
	n=0
	until grep -q '^# flowing' /tmp/flood; do
		n=$((n + 1))
		[ "$n" -lt 300 ] || return 1
		usleep 100000
	done
}
flood_end() {
	kill "$flood"
	wait "$flood" || not_ok "the sender of packets ended badly"
	cat /tmp/flood
}

module=/tandem_plain.ko
for round in 1 2 3; do
	if [ "$round" = 3 ]; then program=/client; else program=/fans; fi
	flood_begin "$program" || not_ok "round $round: packets come through"
	try "round $round: the module is unloaded under traffic" rmmod tandem
	usleep 500000 # of traffic without it
	flood_end
	try "round $round: the module is loaded again" insmod "$module"
	if [ "$round" = 1 ]; then
		dmesg | grep -q 'tandem: .*has no BTF' && ok "without BTF it says so" ||
			not_ok "without BTF it says so"
		/kfuncs refused
		/xdp without || echo "# xdp without: status $?"
		try "round $round: the module comes with BTF" eval "rmmod tandem && insmod /tandem.ko"
		/xdp later || echo "# xdp later: status $?"
	fi
	module=/tandem.ko
done

# A namespace that goes takes its table with it.
ip netns add c
try "another namespace is configured" ip netns exec c /client configure
try "and goes" ip netns del c
flood_begin /client || not_ok "packets come through once more"
flood_end
ip netns del a
ip netns del b
sleep 1
try "the module is unloaded with flows in it" rmmod tandem
if dmesg | grep -E 'WARNING|BUG|Oops|refcount|leak|stall|waiting for|suspicious|general protection'; then
	not_ok "the kernel has nothing to complain about"
else
	ok "the kernel has nothing to complain about"
fi
dmesg | grep 'tandem:' | sed 's/^/# /'
echo "guest: done"
poweroff -f
