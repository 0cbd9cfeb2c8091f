#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two phones that secure their media between themselves, by keys in SDP (RFC 4568) and
# by a DTLS handshake (RFC 5764). The relay has no keys and is not to get in the way.
#
#   alice (baresip, SRTP) ---- relay (tandem) ---- bob (baresip, SRTP)

. "$(dirname "$0")/calls.sh"
relay_begin 90
need_tool g711cmp
command -v baresip >/dev/null || tap_skip_all "needs baresip"

# secure MEDIAENC: a call of some seconds, and what was heard
secure()
{
	local alice bob
	PHONE_MEDIAENC=$1
	check "bob's phone starts ($1)" eval "PHONE_ANSWER=auto phone_start callee bob"
	bob=$PHONE_PID
	check "alice's phone starts ($1)" phone_start caller alice
	alice=$PHONE_PID
	check "bob is registered" phone_registered bob 5
	check "alice is registered" phone_registered alice 5
	phone alice dial sip:bob@example.test
	check "the call is established" phone_event alice 5 CALL_ESTABLISHED
	check "audio passes both ways" wait_for 12 session_has 'verdict~two.way' 'flows.+.packets>300'
	check "the relay knows that it is SRTP" field "$WORK/live.json" has media.0.srtp=true
	check "every flow is offloaded" field "$WORK/live.json" has "flows.*.offload=$(datapath_expected)" \
		flows.+.dropped=0
	phone alice hangup
	check "no session is left" wait_for 5 session_count_is 0
	stop_pid "$alice"
	stop_pid "$bob"
	check "bob heard alice, sample for sample ($1)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/alice.wav" "$(heard bob)"
	check "alice heard bob, sample for sample ($1)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/bob.wav" "$(heard alice)"
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events
}
secure srtp-mand
secure dtls_srtp
check "the handshakes passed" eval 'tandem stats | field - has fast.forwarded_dtls\>3'
relay_ends
tap_done
