#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Audio before the answer: 183 with SDP, an announcement, then 200.
#
#   caller (sipp plays at 183) ---- relay (tandem) ---- callee (sipp plays before 200)

. "$(dirname "$0")/calls.sh"
relay_begin 45
audio_pcap 60
capture_start caller phone0 "$WORK/caller.pcap"
caller_capture=$CAPTURE_PID
capture_start callee phone0 "$WORK/callee.pcap"
callee_capture=$CAPTURE_PID
UAS_OPTIONS="-d 2500" call_start uac_early uas_early -d 1000
call_answered
check "the session is early, with audio" wait_for 4 session_has state=early 'flows.+.packets>=120'
check "and established later" wait_for 5 session_has state=established
call_ended
capture_stop "$caller_capture"
capture_stop "$callee_capture"
check "the caller hears the whole announcement" eval \
	"judge streams '$WORK/caller.pcap' | field - has 'streams{dst=10.77.1.2:6000}.*.unique=60'"
check "the callee hears the caller" eval \
	"judge streams '$WORK/callee.pcap' | field - has 'streams{dst=10.77.2.2:6000}.*.unique=60'"
relay_ends
tap_done
