#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The INVITE has no SDP; the callee offers in its 200, the caller answers in its ACK.
#
#   caller (sipp plays G.711) ---- relay (tandem) ---- callee (sipp echoes it)

. "$(dirname "$0")/calls.sh"
relay_begin 45
audio_pcap 60
capture_start caller phone0 "$WORK/caller.pcap"
UAS_OPTIONS=-rtp_echo call_start uac_late uas_late -d 2500
call_answered
check "the caller is shown the relay" test "${A_RELAY%:*}" = 10.77.1.1
check "the callee is shown the relay" test "${B_RELAY%:*}" = 10.77.2.1
check "the session is established" wait_for 3 session_has state=established
call_ended
capture_stop
check "the audio comes back" eval \
	"judge streams '$WORK/caller.pcap' | field - has 'streams{dst=10.77.1.2:6000}.*.unique=60'"
relay_ends
tap_done
