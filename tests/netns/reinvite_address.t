#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The caller moves its media to another address in the middle of a call.
#
#   caller 10.77.1.2:7000, then 10.77.1.9:7100 ---- relay (tandem) ---- callee

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 60
call_start uac_move uas_reinvite -d 6000 -key moved_ip 10.77.1.9 -key moved_port 7100
call_answered
media_both 50
media_exact 50 "at the first address"

moved()
{
	session_has 'flows{remote=10.77.1.9:7100}.*.local~^10'
}
check "the move is known" wait_for 6 moved
A_MEDIA=10.77.1.9:7100
A_RELAY=$(media_target uac)
media_both 50 --seq 1000
media_exact 50 "at the second address"
session_save "$WORK/before.json"
ns_run caller "$TOOLS/rtpphone" --bind 10.77.1.2:7000 --to "$A_RELAY" --count 20 --ptime 5 \
	--ssrc 0xdead0001 >/dev/null
session_save "$WORK/after.json"
before=$(field "$WORK/before.json" get flows.+.unknown_source)
check "the address left behind is a stranger now" field "$WORK/after.json" has \
	"flows.+.unknown_source=$((before + 20))"
call_ended
relay_ends
tap_done
