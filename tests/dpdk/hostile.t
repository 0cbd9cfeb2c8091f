#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Messages of every length and op, with nothing or nonsense in them, to the worker's control
# socket: it answers or hangs up, lives, and serves the next controller.
#
#   hostile.py ---- control socket [ tandem-dpdk ]

. "$(dirname "$0")/../netns/lib.sh"
. "$(dirname "$0")/../netns/datapath.sh"

alive()
{
	kill -0 "$WORKER_PID"
}

DATAPATH=dpdk
if missing=$(datapath_missing); then
	tap_skip_all "$missing"
fi
test_begin 60
check "a worker runs" topology_up
for seed in 1 2 3; do
	check "it answers after nonsense, seed $seed" "$PYTHON" "$TESTS/dpdk/hostile.py" \
		"$WORK/dpdk.sock" "$seed"
done
check "it lives" alive
tap_done
