#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call over IPv6, signalling and media.
#
#   caller fd77:1::2 ---- relay (tandem) ---- callee fd77:2::2

. "$(dirname "$0")/calls.sh"
A_SIP="[fd77:1::1]:5060"
B_SIP="[fd77:2::1]:5060"
A_MEDIA="[fd77:1::2]:7000"
B_MEDIA="[fd77:2::2]:7000"
AUDIO_PORT=7000
relay_begin 45
call_start uac_quiet uas_answer -d 8000
call_answered
check "the caller is shown the relay" test "${A_RELAY%:*}" = '[fd77:1::1]'
check "the callee is shown the relay" test "${B_RELAY%:*}" = '[fd77:2::1]'
media_both 150 --rtcp 500
media_exact 150
check "RTCP passes" field "$WORK/b.json" has 'rtcp_received>1'
check "every flow is offloaded" session_has "flows.*.offload=$(datapath_expected)"
call_ended
relay_ends
tap_done
