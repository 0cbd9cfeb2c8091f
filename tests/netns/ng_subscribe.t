#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Media of a call for those who have subscribed to it by the NG protocol, each by a leg of its own,
# in each datapath; and of one who publishes.
#
#   caller 10.77.1.2 -----------. relay: tandem, SIP off .------------ callee 10.77.2.2
#   second :7200, third :7300 --'                         '-- first :7100, :7110
#        \___________________ ng_subscribe.py, in all three ___________________/

. "$(dirname "$0")/ng_steps.sh"

test_begin 180 clang-16
need_tandem
topology_up || tap_bail topology
SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}"
for DATAPATH in xdp uring; do
	ng_steps ng_subscribe.py
done
tap_done
