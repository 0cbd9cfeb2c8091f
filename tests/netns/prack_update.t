#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reliable 183 and PRACK (RFC 3262), an UPDATE (RFC 3311) that moves the caller's
# media before the answer.
#
#   caller 7000, then 7100 ---- relay (tandem) ---- callee

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 45
call_start uac_prack uas_prack -d 3000 -key moved_port 7100
call_answered
check "the session is established" wait_for 5 session_has state=established
A_MEDIA=10.77.1.2:7100
A_RELAY=$(media_target uac)
B_RELAY=$(media_target uas)
media_both 50
media_exact 50
call_ended
relay_ends
tap_done
