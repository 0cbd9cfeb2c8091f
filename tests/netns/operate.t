#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What an operator has: records of calls, sources that are blocked, and a relay that is taken
# out of service while calls go on.
#
#   caller (sipp, ask.py) ---- relay (tandem: killed once, drained at the end) ---- callee (sipp)

. "$(dirname "$0")/calls.sh"
test_begin 90 sipp tcpdump tshark clang-16
need_tandem
need_tool rtpphone
topology_up || tap_bail "topology"
AUDIO_PORT=7000
CDR_LOG=$WORK/calls.log
YAML_EXTRA="cdr: {log: $CDR_LOG}
log_format: json
drain: {retry_after_s: 17}"
check "tandem starts" start_tandem || tap_done

# cdr: `tandem cdr list` as JSON.
cdr()
{
	timeout 5 "$TANDEM" cdr list -c "$WORK/tandem.yaml" --json
}

# record N EXPRESSION: true of the N-th record, d, in Python.
record()
{
	cdr | "$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)["records"]
d = d[int(sys.argv[1])]
ok = eval(sys.argv[2])
if not ok:
    print(json.dumps(d, indent=1))
sys.exit(not ok)' "$1" "$2"
}

records_are()
{
	[ "$(cdr | "$PYTHON" -c 'import json, sys; print(len(json.load(sys.stdin)["records"]))')" = "$1" ]
}

# asks STATUS [ARGS...]: a request of ask.py's is answered so.
asks()
{
	local want=$1
	shift
	[ "$(ns_run caller "$PYTHON" "$NETNS/ask.py" --bind 10.77.1.9 --to 10.77.1.1:5060 "$@")" = "$want" ]
}

# ---- records ---------------------------------------------------------------

call_start uac_quiet uas_answer -d 3000
call_answered
media_both 40
call_ended
check "a call that is over has a record" wait_for 5 records_are 1
check "it says who called whom, and from where" record 0 \
	'"alice" in d["from"] and "bob" in d["to"] and d["caller"]["address"] == "10.77.1.2:5060" and d["callee"]["address"] == "10.77.2.2:5060"'
check "it says when, and how it ended" record 0 \
	'd["status"] == 200 and d["ended_by"] == "caller" and d["start_ms"] <= d["answer_ms"] < d["end_ms"] and d["duration_ms"] >= 2900'
check "it says what passed, both ways" record 0 \
	'd["media"]["from_caller"]["packets"] == 40 and d["media"]["from_callee"]["packets"] == 40 and d["media"]["from_callee"]["lost"] == 0 and d["media"]["from_caller"]["mos"] > 4'
check "and by which datapath" record 0 "d['media']['offload'] == '$(datapath_expected)'"
mv "$CDR_LOG" "$CDR_LOG.1"
check "the log has the same record" eval 'grep -c "\"status\":200" "$CDR_LOG.1" | grep -qx 1'
kill -HUP "$TANDEM_PID"
call_start uac_reject uas_reject
call_ended
check "a call that is refused has one, too" wait_for 5 records_are 2
check "with its status and branch" record 1 \
	'd["status"] == 486 and d["answer_ms"] is None and d["branches"][0]["status"] == 486'
check "a renamed log is begun anew" wait_for 5 grep -q '"status":486' "$CDR_LOG"
call_start uac_cancel uas_cancel -d 500
call_ended
check "a cancelled call: by the caller" wait_for 5 record 2 'd["status"] == 487 and d["ended_by"] == "caller"'
check "a call to nobody has a record" asks 480 --method INVITE --uri sip:nobody@example.test
check "with the relay's answer" wait_for 5 record 3 'd["status"] == 480 and d["ended_by"] == "relay"'
check "a record is shown by its number" eval \
	'timeout 5 "$TANDEM" cdr show 4 -c "$WORK/tandem.yaml" | grep -q "\"status\": 480"'
check "the list is a table for people" eval \
	'timeout 5 "$TANDEM" cdr list --since 1h -c "$WORK/tandem.yaml" | grep -q alice@'

# ---- over a kill -----------------------------------------------------------

call_start uac_quiet uas_answer -d 4000
call_answered
wait_for 3 session_has state=established
sleep 0.4 # its start is on disk a tenth of a second after it
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check "tandem starts again" tandem_launch || tap_done
call_ended
check "a call that outlived the process has one record" wait_for 5 records_are 5
check "with its answer from before" record 4 'd["status"] == 200 and d["duration_ms"] > 3500 and d["ended_by"] == "caller"'

# ---- the log of the process ------------------------------------------------

lines_are_json()
{
	"$PYTHON" -c '
import json, sys
calls = 0
for line in sys.stdin:
    doc = json.loads(line)
    assert doc["time"] and doc["level"] and doc["module"] and "text" in doc, line
    calls += "call_id" in doc
assert calls > 0' <"$WORK/tandem.log.2"
}
check "its log is lines of JSON, those of calls with the Call-ID" lines_are_json

# ---- blocked sources -------------------------------------------------------

check "OPTIONS are answered" asks 200
check "a scanner is not" asks none --agent "friendly-scanner 1.0"
check "an address is blocked" tandem block add 10.77.1.9 600
check "and not answered" asks none
check "the list has it" eval 'tandem block list | grep -q 10.77.1.9'
check "the statistics count both" eval \
	'tandem stats | "$PYTHON" -c "import json, sys; d = json.load(sys.stdin)[\"dropped\"]; assert d[\"agent\"] and d[\"operator\"]"'
check "what is no address is refused" not tandem block add nonsense
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check "tandem starts again" tandem_launch || tap_done
check "what was blocked still is" asks none
check "it is heard again" tandem block remove 10.77.1.9
check "and answered" asks 200

# ---- drain -----------------------------------------------------------------

call_start uac_quiet uas_answer -d 5000
call_answered
check "the relay is taken out of service" tandem drain
check "dispatchers are told by OPTIONS" asks 503
check "a new call is refused" asks 503 --method INVITE --uri sip:bob@example.test
check "and told when to try again" asks "Retry-After: 17" --method INVITE --uri sip:bob@example.test --show Retry-After
check "a registration is not" asks 200 --method REGISTER --uri sip:example.test
check "the drain is called off" tandem drain --off
check "calls are taken again" asks 200
check "and off again it goes" tandem drain --timeout 60
timeout 40 "$TANDEM" drain --wait --socket "$SOCK" >/dev/null &
WAITER=$!
check "the call that is up goes on" session_has state=established
call_ended
relay_gone()
{
	! alive "$TANDEM_PID"
}
check "the process ends with the last call" wait_for 8 relay_gone
wait "$TANDEM_PID"
check "and well" test $? -eq 0
wait "$WAITER"
check "who waited for that is told" test $? -eq 0
tap_done
