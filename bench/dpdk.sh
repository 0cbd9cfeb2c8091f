#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The DPDK worker beside testpmd, which only swaps MAC addresses: without a NIC, on the same kind of
# ring in memory (bench/dpdk/mill.c), and by AF_XDP on veth, where the two take turns in one run.
# Bounded in time; fails on errors, never on a speed.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
MILL=$BUILD/bench/dpdk-mill

macswap()
{
	# It runs until it is interrupted.
	timeout --signal=INT 6 dpdk-testpmd --no-huge --no-pci --no-shconf --no-telemetry -m 128 --iova-mode=va \
		--lcores=0@0,1@1 --log-level=error --vdev=net_ring0 -- --forward-mode=macswap \
		--tx-first --burst=32 --txpkts=226 --total-num-mbufs=8192 --record-core-cycles \
		--stats-period=1 |
		sed -n 's/.*cycles\/packet=\([0-9.]*\).* at \([0-9]*\) MHz.*/\1 \2/p' | sort -n |
		awk 'NR == 1 { printf "%.1f ns a frame\n", 1000 * $1 / $2 }'
}

for flows in 1000 10000 64000; do
	"$MILL" "$flows"
done
for payload in 172 1200; do
	"$MILL" 1000 50 "$payload"
done
if command -v dpdk-testpmd >/dev/null; then
	echo "testpmd macswap: $(macswap)"
	"$BUILD/tandem" bench --relays dpdk,testpmd=bench/peers/testpmd.sh --rounds 3 --trial 0.3 --search 4 \
		--time 120 --measure rate,cpu --quiet
else
	echo "dpdk-testpmd is not installed: nothing to compare with" >&2
fi
