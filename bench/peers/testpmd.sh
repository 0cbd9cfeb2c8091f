#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Peer for `tandem bench --relays testpmd=bench/peers/testpmd.sh`: DPDK's testpmd swaps the MAC
# addresses of what comes in by one device and sends it out by the other, on the same kind of
# device as tandem's DPDK worker has (AF_XDP). It looks at nothing else in a packet: the least
# that a relay on DPDK can do. bench/relay_script.c says what is asked of a peer.
set -u
folder=$(mktemp -d)
pid=
end()
{
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$folder"
}
trap end EXIT
trap exit TERM
fail()
{
	echo "error $1"
	exit 1
}

sed -u '/^go$/q' >/dev/null # one way for all flows
command -v dpdk-testpmd >/dev/null || fail "dpdk-testpmd is not installed"
# AF_XDP brings a program of its own
if ! ip link set in0 xdp off || ! ip link set out0 xdp off; then
	fail "no devices in0 and out0"
fi
cpus=$(taskset -cp $$ | sed 's/.*: //')
LIBXDP_SKIP_DISPATCHER=1 dpdk-testpmd --no-huge --no-shconf --no-pci --no-telemetry --iova-mode=va \
	--log-level=error -m 256 --lcores="0@${cpus%%[,-]*},1@${cpus##*[,-]}" \
	--vdev=net_af_xdp0,iface=in0 --vdev=net_af_xdp1,iface=out0 -- \
	--forward-mode=macswap --burst=32 --rxd=1024 --txd=1024 --total-num-mbufs=16384 \
	--stats-period=86400 >"$folder/log" 2>&1 </dev/null &
pid=$!
for ((i = 0; i < 300; i++)); do
	grep -q '^Logical Core' "$folder/log" && break
	kill -0 "$pid" 2>/dev/null || fail "testpmd: $(grep -v '^ *$' "$folder/log" | tail -n 1)"
	sleep 0.1
done
echo "pid $pid"
echo polls
echo ready
# until the benchmark closes our input or stops us
cat >/dev/null
