#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same call with `datapath: uring`: no XDP program, sockets alone.
#
#   caller (sipp, rtpphone) ---- relay (tandem) ---- callee (sipp, rtpphone)

. "$(dirname "$0")/calls.sh"
DATAPATH=uring
AUDIO_PORT=7000
relay_begin 60
check "no XDP program is attached" not eval \
	"ns_run relay ip link show to_caller | grep -q xdp"
call_start uac_quiet uas_answer -d 8000
call_answered
media_both 150 --rtcp 500
media_exact 150
check "RTCP passes" field "$WORK/b.json" has 'rtcp_received>1'
check "the session says that it is not offloaded, and why" session_has \
	state=established 'flows.*.offload=uring' 'flows.*.reason~.' 'flows.+.fast_packets=0'
check "loss is counted" field "$WORK/live.json" has 'streams.*.lost=0' 'streams.*.packets=150'
call_ended
relay_ends
tap_done
