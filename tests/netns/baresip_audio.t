#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two baresips register and talk; what each decodes is, sample for sample, what the
# other one played. Over UDP, then over TCP.
#
#   alice (baresip plays alice.wav) ---- relay (tandem) ---- bob (baresip plays bob.wav)

. "$(dirname "$0")/calls.sh"
relay_begin 90
need_tool g711cmp
command -v baresip >/dev/null || tap_skip_all "needs baresip"

# talk TRANSPORT: register both, call, four seconds of audio, hang up, compare
talk()
{
	local alice bob
	PHONE_TRANSPORT=$1
	check "bob's phone starts ($1)" eval "PHONE_ANSWER=auto phone_start callee bob"
	bob=$PHONE_PID
	check "alice's phone starts ($1)" phone_start caller alice
	alice=$PHONE_PID
	check "bob is registered" phone_registered bob 5
	check "alice is registered" phone_registered alice 5
	phone alice dial sip:bob@example.test
	check "the call is established" phone_event alice 5 CALL_ESTABLISHED
	check "audio passes both ways" wait_for 8 session_has 'verdict~two.way' 'flows.+.packets>300'
	check "every flow is offloaded" field "$WORK/live.json" has "flows.*.offload=$(datapath_expected)"
	phone alice hangup
	check "bob hears that it is over" phone_event bob 5 CALL_CLOSED
	check "no session is left" wait_for 5 session_count_is 0
	stop_pid "$alice"
	stop_pid "$bob"
	check "bob heard alice, sample for sample ($1)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/alice.wav" "$(heard bob)"
	check "alice heard bob, sample for sample ($1)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/bob.wav" "$(heard alice)"
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events
}
talk udp
talk tcp
relay_ends
tap_done
