#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A browser's stack (aiortc) hears one of two plain phones, whose call it has subscribed to.
#
#   caller 10.77.1.2:7000 ---- relay: tandem, SIP off ---- callee 10.77.2.2:7000, and aiortc
#        \_______________ ng_subscribe_web.py, in all three _______________/

. "$(dirname "$0")/ng_steps.sh"

"$PYTHON" -c 'import aiortc' 2>/dev/null || tap_skip_all "needs python3-aiortc"
test_begin 120 clang-16
need_tandem
topology_up || tap_bail topology
SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}"
PYTHON_IN=callee
for DATAPATH in xdp uring; do
	ng_steps ng_subscribe_web.py
done
tap_done
