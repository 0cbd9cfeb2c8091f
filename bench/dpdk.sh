#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The DPDK worker without a NIC, beside testpmd, which only swaps MAC addresses, on the same kind
# of ring (bench/dpdk/mill.c). Bounded in time; fails on errors, never on a speed.
set -eu
cd "$(dirname "$0")/.."
MILL=${BUILD:-build}/bench/dpdk-mill

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
else
	echo "dpdk-testpmd is not installed: nothing to compare with" >&2
fi
