#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The controller is killed while a call is captured: the call goes on, the file has what came before,
# and the controller that is started again takes back what the killed one has left in the fast path.
#
#   caller 10.77.1.2:7000 ---- relay (tandem: killed, restarted) ---- callee 10.77.2.2:7000
#                                 |
#                        tandem capture > pcapng

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
SIPP_TIMEOUT=40

# capture_begins NAME: sets LAST_PID.
capture_begins()
{
	"$TANDEM" capture --socket "$SOCK" --all --headers -w "$WORK/$1.pcapng" >"$WORK/$1.log" 2>&1 &
	LAST_PID=$!
}

# lost: copies that the program could not hand over since it was loaded.
lost()
{
	bpftool -j map dump pinned "$BPF_DIR/taps_lost" | "$PYTHON" -c 'import json, sys
for entry in json.load(sys.stdin):
    print(sum(int.from_bytes(bytes(int(b, 16) for b in v["value"]), "little") for v in entry["values"]))'
}

# is_quiet: it does not try to hand over any.
is_quiet()
{
	local before
	before=$(lost)
	sleep 0.5
	[ "$(lost)" = "$before" ]
}

relay_begin 75
command -v bpftool >/dev/null || tap_skip_all "needs bpftool"
call_start uac_quiet uas_answer -d 13000
call_answered
wait_for 3 session_has state=established
capture_begins first
first=$LAST_PID
media_both_start 400
check "audio flows" wait_for 4 session_has 'flows.+.packets>60'
check "and is captured" wait_for 4 eval 'tandem stats | field - has "capture.packets>60"'
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check_not "the capture fails with it" pid_wait "$first"
check "and says so" grep -q 'the relay has ended it' "$WORK/first.log"
check "what it has can be read" eval '[ "$(tshark -r "$WORK/first.pcapng" 2>/dev/null | wc -l)" -gt 60 ]'
check_not "copies are made for nobody" is_quiet
check "tandem starts again" tandem_launch || tap_done
check "there are none any more" wait_for 3 is_quiet
check "the fast path still has its flows" session_has "flows.*.offload=$(datapath_expected)"
capture_begins second
second=$LAST_PID
check "they can be captured again" wait_for 4 eval 'tandem stats | field - has "capture.packets>60"'
kill -INT "$second"
check "which ends well" pid_wait "$second"
check "and has lost nothing" grep -q ' packets captured, 0 lost' "$WORK/second.log"
media_both_wait
media_exact 400 "over all of that"
call_ended
relay_ends
tap_done
