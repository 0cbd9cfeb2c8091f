#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# STUN that means no good, to the port of a call with ICE: answers are fewer and smaller than what
# they answer, nobody is checked who is named in a description, and the call is served, as long as
# its caller is there.
#
#   caller 10.77.1.2 (ICE), stranger 10.77.1.9, denied 10.77.1.66 ---- relay ---- callee (sipp)

. "$(dirname "$0")/calls.sh"
MEDIA_EXTRA='deny: [127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 10.77.1.66/32]
  security: [{peer: 10.77.2.0/24, policy: plain}]
  inactivity_timeout_s: 300'
AUDIO_PORT=7000
SIPP_TIMEOUT=90
relay_begin 120
addr_add caller phone0 10.77.1.66/24

check "bob registers" register callee bob 5060 "$B_SIP" || tap_done
sipp_start callee uas uas_answer "$B_SIP" -p 5060 -m 1
UAS_PID=$LAST_PID
wait_for 5 phone_listens callee || tap_bail "the called sipp listens"
# Binding requests, of which none must be the relay's own.
capture_start relay any "$WORK/requests.pcap" \
	'udp[8:4] & 0xffff0000 = 0x00010000 and udp[12:4] = 0x2112a442'
requests=$CAPTURE_PID
# What the one gets that has nothing to do with it all.
capture_start callee phone0 "$WORK/bystander.pcap" 'udp and dst host 10.77.2.9'
bystander=$CAPTURE_PID
ns_start caller "$WORK/attack.json" "$PYTHON" "$NETNS/ice_attack.py" --proxy "$A_SIP" --call sip:bob@example.test
ATTACK_PID=$LAST_PID

# report NAME...: Python expressions on the report, all of which hold.
report()
{
	"$PYTHON" - "$WORK/attack.json" "$@" <<-'PY'
		import json, sys
		r = json.loads(open(sys.argv[1]).read().splitlines()[-1])
		print(json.dumps(r))
		sys.exit(not all(eval(e, {}, r) for e in sys.argv[2:]))
	PY
}

check "the floods are over" wait_for 30 report True
check "who knows nothing gets next to nothing" report 'bare["answered_bytes"] <= bare["asked_bytes"] / 100' \
	'wrong_name["answered"] == 0'
check "nor does who knows the user name" report 'wrong_password["success"] == 0' \
	'wrong_password["answered_bytes"] <= wrong_password["asked_bytes"] / 100'
check "who knows the password gets no more than was sent, and a bounded rate of it" report \
	'0 < insider["answered"] <= 250' 'insider["answered_bytes"] <= insider["asked_bytes"] / 5'
check "a denied network gets nothing" report 'denied["answered"] == 0'
check "the caller is served after it all" report 'served'
check "and stays the one, whoever asks" session_has flows.0.remote=10.77.1.2:7000 \
	media.0.a.security.wire.ice=connected
check "who asks to be it gets nothing" report 'hijack["success"] == 0'
check "its consent checks are answered in the midst of a stranger's flood" report 'consent["success"] == 7'
check "and when they have ended, nothing is sent there any more" wait_for 40 session_has \
	media.0.a.security.wire.ice=lost flows.0.remote=None
check "the caller ends the call well" pid_wait "$ATTACK_PID"
check "the callee's scenario ends well" pid_wait "$UAS_PID"
capture_stop "$requests"
capture_stop "$bystander"
requests_of()
{
	tcpdump -nr "$WORK/requests.pcap" "src host $1 or src host $2" 2>/dev/null | wc -l
}
check "the requests of the others were seen" test "$(requests_of 10.77.1.2 10.77.1.9)" -gt 5000
check "the relay has checked nobody" test "$(requests_of 10.77.1.1 10.77.2.1)" = 0
check "the bystander has got nothing" test -z "$(tcpdump -nr "$WORK/bystander.pcap" 2>/dev/null)"
relay_ends
tap_done
