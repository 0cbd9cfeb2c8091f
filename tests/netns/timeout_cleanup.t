#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls that nobody ends: without media they are removed after the inactivity timeout,
# and their ports forward nothing any more.
#
#   caller (sipp forgets the call) ---- relay (tandem) ---- callee (sipp forgets it too)

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
MEDIA_EXTRA="inactivity_timeout_s: ${INACTIVITY:-5}"
relay_begin 60
UAS_OPTIONS="-d 100" call_start uac_quiet uas_abandon -d 30000
call_answered
media_both 50
media_exact 50
check "the call lives as long as there is media" session_has state=established
check "it is removed when there is none" wait_for 15 session_count_is 0
media_start callee b "$B_MEDIA" ""
b=$LAST_PID
ns_run caller "$TOOLS/rtpphone" --bind "$A_MEDIA" --to "$A_RELAY" --count 20 --ptime 5 >/dev/null
stop_pid "$b"
check "its ports forward nothing" field "$WORK/b.json" has streams=[]
stop_pid "$UAC_PID" KILL
stop_pid "$UAS_PID" KILL
relay_ends
tap_done
