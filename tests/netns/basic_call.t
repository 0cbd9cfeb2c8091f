#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call, audio both ways, hung up by the caller.
#
#   caller (sipp plays G.711) ---- relay (tandem) ---- callee (sipp echoes it)
#   10.77.1.2:6000                                     10.77.2.2:6000

. "$(dirname "$0")/calls.sh"
relay_begin 60
audio_pcap 100
check "doctor answers in JSON" eval 'timeout 10 "$TANDEM" doctor --json | field - get'
capture_start callee phone0 "$WORK/callee.pcap"
callee_capture=$CAPTURE_PID
capture_start caller phone0 "$WORK/caller.pcap"
caller_capture=$CAPTURE_PID

UAS_OPTIONS=-rtp_echo call_start uac_call uas_answer -d 7000
call_answered
check "the caller is shown the relay" test "${A_RELAY%:*}" = 10.77.1.1
check "the callee is shown the relay" test "${B_RELAY%:*}" = 10.77.2.1
check "tandem stays in the path (Record-Route)" grep -q '^Record-Route:' "$WORK/uas_messages.log"
check "the session is established" wait_for 5 session_has state=established
check "all 200 packets pass" wait_for 6 session_has 'flows.+.packets>=200'
check "its verdict is two-way" wait_for 3 session_has 'verdict~two.way'
check "every flow is in the fast path, or on the one asked for" \
	field "$WORK/live.json" has "flows.*.offload=$(datapath_expected)"
check "nothing was dropped" field "$WORK/live.json" has flows.+.dropped=0 flows.+.unknown_source=0
call_ended
capture_stop "$callee_capture"
capture_stop "$caller_capture"

payload()
{
	judge payload "$WORK/$1.pcap" "$WORK/$3" --dst "$2"
}
check "the callee's audio is captured" payload callee 10.77.2.2:6000 to_callee.al
check "the caller's audio is captured" payload caller 10.77.1.2:6000 to_caller.al
judge payload "$WORK/audio.pcap" "$WORK/played.al"
check "what the callee gets is what was played" cmp "$WORK/played.al" "$WORK/to_callee.al"
check "what comes back is what was played" cmp "$WORK/played.al" "$WORK/to_caller.al"
check_not "the callee never sees the caller's address" eval \
	"tshark -r '$WORK/callee.pcap' -T fields -e ip.src -e ip.dst 2>/dev/null | grep -F 10.77.1."
relay_ends
tap_done
