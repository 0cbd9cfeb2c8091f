#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A caller behind NAT: its SDP says 192.168.55.5, its packets come from 10.77.1.2:41000.
# The relay learns where they come from, once, and sticks to it.
#
#   caller 10.77.1.2:41000 (says 192.168.55.5:7000) ---- relay (tandem) ---- callee
#   stranger 10.77.1.9:42000, too late

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 45
call_start uac_nat uas_answer -d 7000 -key private_ip 192.168.55.5
call_answered
A_MEDIA=10.77.1.2:41000

learned()
{
	session_has 'flows{remote=10.77.1.2:41000}.*.local~^10'
}
media_both_start 200
check "the source is learned" wait_for 4 learned
ns_run caller "$TOOLS/rtpphone" --bind 10.77.1.9:42000 --to "$A_RELAY" --count 50 --ptime 2 \
	--ssrc 0xdead0001 >/dev/null
media_both_wait
check "the callee hears the caller" field "$WORK/b.json" has \
	streams.0.ssrc=0xa11ce001 'streams.0.unique>190' streams.0.bad_payload=0
check "the caller hears the callee" field "$WORK/a.json" has \
	streams.0.ssrc=0xb0b00001 'streams.0.unique>170' streams.0.bad_payload=0
check "a stranger who comes later is not heard" \
	test "$(field "$WORK/b.json" get 'streams.*.ssrc' | xargs)" = 0xa11ce001
check "and is counted" session_has 'flows.+.unknown_source>=50'
check "the verdict is two-way" field "$WORK/live.json" has 'verdict~two.way'
call_ended
relay_ends
tap_done
