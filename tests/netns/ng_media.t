#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Media and DTMF blocked, media silenced, by commands of the NG protocol during a call, in each
# datapath: what is blocked does not arrive, what is silenced arrives as silence, all else goes on.
#
#   caller 10.77.1.2 ---- relay: tandem, SIP off ---- callee 10.77.2.2
#        \_____________ ng_media.py, in all three _____________/

. "$(dirname "$0")/ng_steps.sh"

test_begin 120 clang-16
need_tandem
topology_up || tap_bail topology
SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}"
for DATAPATH in xdp uring; do
	ng_steps ng_media.py --tandem "$TANDEM" --socket "$SOCK"
done
tap_done
