#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The controller is killed in the middle of a call and started again.
#
#   caller (rtpphone, 8 s) ---- relay (tandem: killed, restarted) ---- callee (rtpphone, 8 s)
#
# With XDP the packets go on while no process is there: not one is lost. The
# restarted controller knows the call and ends it.

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
SIPP_TIMEOUT=40
relay_begin 75
call_start uac_quiet uas_answer -d 13000
call_answered
wait_for 3 session_has state=established
id=$(session_ids)
media_both_start 400
check "audio flows" wait_for 4 session_has 'flows.+.packets>60'
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check_not "the controller is gone" tandem session list
sleep 2 # dead air for the controller; the packets must not notice
check "tandem starts again" tandem_launch || tap_done
check "it knows the call" session_has "id=$id" state=established
check "the fast path still has its flows" field "$WORK/live.json" has \
	"flows.*.offload=$(datapath_expected)"
media_both_wait
check "counters went on" session_has 'flows.+.packets>=800'
media_exact 400 "over the restart"
call_ended
relay_ends
tap_done
