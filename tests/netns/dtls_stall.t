#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A caller begins more handshakes than one address may have half open, and ends none. Nobody else
# suffers: a WebRTC peer elsewhere gets its keys meanwhile. When their time is over all is as before.
#
#   caller: 60 calls that stall, to ---- relay (tandem) ---- callee 10.77.2.9: sink, plain
#           alice, baresip          ----                ---- callee 10.77.2.2: aiortc

. "$(dirname "$0")/calls.sh"
test_begin 120 baresip
need_tandem
"$PYTHON" -c 'import aiortc' 2>/dev/null || tap_skip_all "needs python3-aiortc"
topology_up || tap_bail "topology"

# counted CONDITION...: of the handshakes that the relay has counted; what is zero is not there.
counted()
{
	tandem stats | field - has "$@"
}

none_half_open()
{
	! counted 'dtls.half_open>0' 2>/dev/null
}

MEDIA_EXTRA='security: [{peer: 10.77.2.2, policy: dtls}, {peer: 10.77.2.9, policy: plain}]'
check "tandem starts" start_tandem || tap_done
ns_start callee "$WORK/sink.log" "$PYTHON" "$NETNS/dtls_stall.py" sink --local 10.77.2.9:5080 \
	--proxy 10.77.2.1:5060 --seconds 100
check "the sink is registered" wait_for 5 eval 'tandem registrations | grep -q sink@'
ns_start callee "$WORK/web.json" "$PYTHON" "$NETNS/webphone.py" --local 10.77.2.2:5070 \
	--proxy 10.77.2.1:5060 --user web --setup 60 --seconds 5 --peer aiortc --answer --tone 700
WEB=$LAST_PID
check "the WebRTC peer is registered" wait_for 20 eval 'tandem registrations | grep -q web@'
check "alice's phone starts" phone_start caller alice
ALICE=$PHONE_PID
check "alice is registered" phone_registered alice 5

ns_start caller "$WORK/stall.json" "$PYTHON" "$NETNS/dtls_stall.py" stall --local 10.77.1.9:5080 \
	--proxy 10.77.1.1:5060 --calls 60 --seconds 35
STALL=$LAST_PID
check "sixty calls are up" wait_for 40 grep -q begun "$WORK/stall.json"
check "ICE passed in all of them, and no more than fifty began" field "$WORK/stall.json" has \
	answered=60 'ice>=58' 'begun>=40' 'begun<=50'
check "about fifty are half open" counted 'dtls.half_open>=40' 'dtls.half_open<=50' 'dtls.over_quota>=5'
phone alice dial sip:web@example.test
check "somebody else gets keys all the same" wait_for 10 counted dtls.connected=1
check "that call ends well" pid_wait "$WEB"
check "what stalls does not last" wait_for 35 none_half_open
check "they have timed out" counted 'dtls.timed_out>=40'
pid_wait "$STALL"
stop_pid "$ALICE"
relay_ends
tap_done
