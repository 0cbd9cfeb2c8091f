#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Strangers send to the ports of a call: from another address, from another port of
# the right address, to a port without a call.
#
#   caller 10.77.1.2:7000 and strangers ---- relay (tandem) ---- callee

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 45
call_start uac_quiet uas_answer -d 8000
call_answered
media_both_start 150
check "audio flows" wait_for 3 session_has 'flows.+.packets>40'

# strange FROM SSRC TO
strange()
{
	ns_run caller "$TOOLS/rtpphone" --bind "$1" --to "$3" --count 50 --ptime 2 \
		--ssrc "$2" --linger 100 >"$WORK/stranger.json"
	field "$WORK/stranger.json" has sent=50
}
check "a stranger sends from another address" strange 10.77.1.9:7000 0xdead0001 "$A_RELAY"
check "a stranger sends from another port" strange 10.77.1.2:7002 0xdead0002 "$A_RELAY"
check "a stranger sends with the call's own SSRC" strange 10.77.1.9:7004 0xa11ce001 "$A_RELAY"
check "a stranger sends to a port without a call" strange 10.77.1.9:7006 0xdead0003 10.77.1.1:17406
check "the strangers are counted" session_has 'flows.+.unknown_source=150'
media_both_wait
media_exact 150 "and nothing else"
check "no stranger is heard" test "$(field "$WORK/b.json" get 'streams.*.ssrc' | xargs)" = 0xa11ce001
call_ended
relay_ends
tap_done
