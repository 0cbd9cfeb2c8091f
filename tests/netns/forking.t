#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A user with two phones: both ring and one has the call, one after the other by q, and a phone
# that sends its callers elsewhere.
#
#   caller (sipp, rtpphone) --- tandem --- bob's cell 10.77.2.2:5060 (sipp, rtpphone)
#                                          bob's desk 10.77.2.2:5062 (sipp)

. "$(dirname "$0")/calls.sh"
YAML_EXTRA="cdr: {log: none}"
relay_begin 60
AUDIO_PORT=7000

# desk_start SCENARIO [CONTACT_PORT]: what the other phone does.
desk_start()
{
	sipp_start callee desk "$1" "$B_SIP" -p 5062 -mp 6200 -m 1 -key contact_port "${2:-5062}"
	DESK_PID=$LAST_PID
	wait_for 5 udp_bound callee 5062
}

# last_record EXPRESSION: true of the last call's record, d, in Python.
last_record()
{
	timeout 5 "$TANDEM" cdr list -c "$WORK/tandem.yaml" --json | "$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)["records"][-1]
ok = eval("(" + sys.argv[1] + ")")
if not ok:
    print(json.dumps(d, indent=1))
sys.exit(not ok)' "$1"
}

check "bob's desk registers" register callee bob 5062 "$B_SIP"
desk_start uas_cancel
call_start uac_quiet uas_answer -d 3500
call_answered
check "the desk stops ringing" pid_wait "$DESK_PID"
check "one session is left" wait_for 5 session_count_is 1
check "it is established" wait_for 5 session_has state=established
desk_port=$(relay_media desk)
check "the phones were offered ports of their own" test "${desk_port##* }" != "${B_RELAY##*:}"
media_both 60
media_exact 60
check "none of it by another path" session_has 'flows.+.packets>=60'
call_ended
check "the record has both phones" wait_for 5 last_record \
	'd["status"] == 200 and sorted(b["status"] for b in d["branches"]) == [200, 487]
	 and d["ended_by"] == "caller" and d["callee"]["address"] == "10.77.2.2:5060"'

REG_Q=0.5 check "the cell gets a lower q" register callee bob 5060 "$B_SIP"
desk_start uas_reject
REG_Q=0.5 call_start uac_quiet uas_answer -d 1500
call_answered
check "the desk is asked first" pid_wait "$DESK_PID"
media_both 20
media_exact 20
call_ended
check "the record tells the order" wait_for 5 last_record \
	'[b["status"] for b in d["branches"]] == [486, 200]'

check "carol registers" register callee carol 5060 "$B_SIP"
desk_start uas_moved
REG_Q=0.4 call_start uac_quiet uas_answer -d 1500
call_answered
check "the desk sends its callers to carol" pid_wait "$DESK_PID"
media_both 20
media_exact 20
call_ended
check "she was called in the caller's stead" wait_for 5 last_record \
	'[b["status"] for b in d["branches"]][0] == 302 and d["status"] == 200
	 and "carol" in d["callee"]["uri"]'
relay_ends
tap_done
