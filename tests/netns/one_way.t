#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Only one side talks: the verdict says so, and which side is silent.
#
#   caller (rtpphone talks) ---- relay (tandem) ---- callee (rtpphone listens)

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 45
call_start uac_quiet uas_answer -d 7000
call_answered
check "without a packet the verdict is: no media" wait_for 3 session_has 'verdict~no media'
media_start callee b "$B_MEDIA" ""
b=$LAST_PID
media_start caller a "$A_MEDIA" "$A_RELAY" --ssrc 0xa11ce001
a=$LAST_PID
check "the verdict becomes: one-way" wait_for 5 session_has 'verdict~one.way'
check "and it names the silent side" field "$WORK/live.json" has 'verdict~(?i)\bb\b|callee|10\.77\.2\.2'
stop_pid "$b"
media_start callee b "$B_MEDIA" "$B_RELAY" --ssrc 0xb0b00001
b=$LAST_PID
check "and two-way once both talk" wait_for 5 session_has 'verdict~two.way'
sleep 0.5 # the verdict may come with the first packets; the callee is to hear more than those
stop_pid "$a"
stop_pid "$b"
check "the callee heard the caller" field "$WORK/b.json" has 'streams.0.unique>15' streams.0.lost=0
call_ended
relay_ends
tap_done
