#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call is held by the caller (sendonly) and resumed.
#
#   caller (uac_hold) ---- relay (tandem) ---- callee (uas_hold)
#   hears from 7000:  0xb0b00001 talking, 0xb0b00002 on hold, 0xb0b00003 resumed
#
# The relay does not police directions: a phone that talks on hold is heard, as it would be
# without a relay. What the hold changes is the state, the verdict and the timeout.

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 60
call_start uac_hold uas_hold -d 2500
call_answered
media_start caller a "$A_MEDIA" "$A_RELAY" --ssrc 0xa11ce001
a=$LAST_PID

# say SSRC: twenty packets from the callee
say()
{
	ns_run callee "$TOOLS/rtpphone" --bind "$B_MEDIA" --to "$B_RELAY" --count 20 --ssrc "$1" \
		--check >"$WORK/b_$1.json"
}
say 0xb0b00001
check "the call is held" wait_for 5 session_has state=held
say 0xb0b00002
check "the callee still hears the caller on hold" \
	field "$WORK/b_0xb0b00002.json" has 'streams.0.unique>15' streams.0.lost=0
check "the call is resumed" wait_for 5 session_has state=established
A_NOW=$(media_target uac)
B_NOW=$(media_target uas)
check "the relay's ports stay" test "$A_NOW $B_NOW" = "$A_RELAY $B_RELAY"
say 0xb0b00003
stop_pid "$a"
heard=$(field "$WORK/a.json" get 'streams.*.ssrc' | xargs)
check "the caller hears the callee before, during and after" \
	test "$heard" = "0xb0b00001 0xb0b00002 0xb0b00003"
check "in full" field "$WORK/a.json" has 'streams.*.unique=20'
call_ended
relay_ends
tap_done
