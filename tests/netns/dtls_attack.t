#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A plain phone calls a WebRTC peer while others try to get into its handshake: from an address
# that nobody has named, before the call is there and all along; and then with its own address
# forged. Neither is answered, nor does it end or silence the call.
#
#   caller: baresip 1200 Hz ---- relay (tandem) ---- callee 10.77.2.2: aiortc 700 Hz
#                                                    attacker 10.77.2.9, on the same link

. "$(dirname "$0")/calls.sh"
test_begin 90 baresip
need_tandem
"$PYTHON" -c 'import aiortc' 2>/dev/null || tap_skip_all "needs python3-aiortc"
topology_up || tap_bail "topology"

# report NAME EXPRESSION: what holds for the last line of JSON in NAME.json.
report()
{
	"$PYTHON" - "$WORK/$1.json" "$2" <<-'EOP'
		import json, sys
		report = json.loads(open(sys.argv[1]).read().splitlines()[-1])
		print(report)
		sys.exit(not eval(sys.argv[2], {}, report))
	EOP
}

# web_flow remote|local: an address of the flow that the WebRTC peer sends.
web_flow()
{
	field "$WORK/live.json" get "flows{from=b}.0.$1"
}

attack()
{
	ns_start callee "$WORK/$1.json" "$PYTHON" "$NETNS/dtls_attack.py" "$@"
}

MEDIA_EXTRA='security: [{peer: 10.77.2.0/24, policy: dtls}]'
check "tandem starts" start_tandem || tap_done
ns_start callee "$WORK/web.json" "$PYTHON" "$NETNS/webphone.py" --local 10.77.2.2:5070 \
	--proxy 10.77.2.1:5060 --user web --seconds 16 --peer aiortc --answer --tone 700
WEB=$LAST_PID
check "the WebRTC peer is registered" wait_for 20 eval 'tandem registrations | grep -q web@'
"$PYTHON" "$NETNS/tone.py" make "$WORK/alice.wav" 1200 30
check "alice's phone starts" phone_start caller alice
ALICE=$PHONE_PID
check "alice is registered" phone_registered alice 5

attack race 10.77.2.1:16384-17407 --bind 10.77.2.9 --seconds 10 --rate 15000
RACE=$LAST_PID
sleep 1
phone alice dial sip:web@example.test
check "media passes both ways, in the middle of it" wait_for 15 session_has 'verdict~two.way' \
	'flows.+.packets>200'
pid_wait "$RACE"
check "the attacker has sent a lot" report race 'sent > 50000'
check "no handshake was begun with it" report race 'dtls == 0 and other == 0'
check "nor was it sent more than a part of what it sent" report race 'bytes_back * 3 < bytes_sent'
check "its handshakes came as far as the relay" eval 'tandem stats | field - has slow.dtls\>20'

BEFORE=$(field "$WORK/live.json" get 'flows.*.packets' | sort -n | head -n 1)
attack forge "$(web_flow local)" --from "$(web_flow remote)" --count 300
pid_wait "$LAST_PID"
check "forged packets were sent" report forge 'sent == 2700'
check "the call goes on" wait_for 5 session_has 'verdict~two.way' "flows.+.packets>$((BEFORE + 100))"
check "forged media is not part of it" eval '! grep -q 0xdead0001 "$WORK/live.json"'
check "the call ends well" pid_wait "$WEB"
check "the WebRTC peer has heard alice" report web \
	'connected and received > 400 and abs(peak_hz - 1200) <= 29'
stop_pid "$ALICE"
check "alice has heard it" test "$("$PYTHON" "$NETNS/tone.py" peak "$(heard alice)")" = 700
relay_ends
tap_done
