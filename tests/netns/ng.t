#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kamailio with its stock rtpengine module drives the relay by the NG protocol: it does the
# signalling, tandem has SIP off and the media. Needs kamailio.
#
#   caller 10.77.1.2 ---- relay: kamailio 5060 --NG--> tandem ---- callee 10.77.2.2

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/kamailio.sh"

# by_http PATH [DICTIONARY]: what the relay answers there.
by_http()
{
	ns_run relay "$PYTHON" - "http://127.0.0.1:2225$1" "${@:2}" <<-'EOF'
		import sys, urllib.request
		data = sys.argv[2].encode() if sys.argv[2:] else None
		request = urllib.request.Request(sys.argv[1], data, {"Content-Type": "application/json"})
		print(urllib.request.urlopen(request, timeout=5).read().decode())
	EOF
}

# call_by_http: the only call is listed, and what query says of it has its tags.
call_by_http()
{
	local call
	call=$(by_http /ng-plain '{"command": "list"}' | "$PYTHON" -c \
		'import json, sys; print(*json.load(sys.stdin)["calls"], sep="\n")') &&
		by_http /ng-plain "{\"command\": \"query\", \"call-id\": \"$call\"}" | grep '"tags"'
}

basic_call()
{
	kamailio_start || tap_bail kamailio
	call_start uac_quiet uas_answer -d 4000
	call_answered
	check "the caller is shown the relay" test "${A_RELAY%:*}" = 10.77.1.1
	check "the callee is shown the relay, by the name of its address" test "${B_RELAY%:*}" = 10.77.2.1
	media_both 50
	media_exact 50
	check "its verdict is two-way" wait_for 3 session_has state=established 'verdict~two.way'
	check "every flow is in the fast path" field "$WORK/live.json" has \
		"flows.*.offload=$(datapath_expected)" flows.+.dropped=0
	check "the call is known by HTTP, too" call_by_http
	check "and counted there" eval 'by_http /metrics | grep -q "^tandem_sessions 1$"'
	call_ended
	check "no session is left" wait_for 5 session_count_is 0
	check "Kamailio was answered" ng_counter commands.offer 1
	check "and knows of a delete" ng_counter commands.delete 1
	check "no flag of its is unknown" test "$(tandem stats | field - get ng.unknown_flags)" = 0
}

hold_call()
{
	call_start uac_hold uas_hold -d 2500
	call_answered
	check "the call is held" wait_for 5 session_has state=held
	check "the call is resumed" wait_for 5 session_has state=established
	call_ended
	check "no session is left after hold" wait_for 5 session_count_is 0
	stop_pid "$KAMAILIO_PID"
}


# phones_through WHAT FLAGS_A ENC_A ENC_B NAT_A KIND_A KIND_B [CONDITION...]: flags of the caller's offer, and of
# baresip mediaenc and medianat; KIND as the session shows it; what else it has to show.
phones_through()
{
	local alice bob
	PHONE_MEDIAENC_alice=$3 PHONE_MEDIAENC_bob=$4 PHONE_MEDIANAT_alice=$5 PHONE_MEDIANAT_bob=
	kamailio_start FLAGS_A="$2" || tap_bail kamailio
	phones_call "$1"
	check "audio passes both ways ($1)" wait_for 15 session_has 'verdict~two.way' \
		'flows.+.packets>300' "media.0.a.security.kind=$6" "media.0.b.security.kind=$7" "${@:8}"
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
	stop_pid "$KAMAILIO_PID"
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events
}

# The callee has IPv6 alone.
other_family()
{
	kamailio_start FLAGS_A="address-family=IP6" FLAGS_B="address-family=IP4" || tap_bail kamailio
	B_SIP='[fd77:2::1]:5060' B_MEDIA='[fd77:2::2]:7000'
	call_start uac_quiet uas_answer -d 4000
	call_answered
	check "the callee is shown the relay's IPv6" test "${B_RELAY%:*}" = '[fd77:2::1]'
	media_both 50
	media_exact 50 "from one family to the other"
	call_ended
	check "no session is left" wait_for 5 session_count_is 0
	B_SIP=10.77.2.1:5060 B_MEDIA=10.77.2.2:7000
	stop_pid "$KAMAILIO_PID"
}

# told WHO LINE...: the first description that sipp has got (uac or uas) has these lines, in this order.
told()
{
	local text
	text=$(tr -d '\r' <"$WORK/${1}_messages.log" | "$PYTHON" -c '
import re, sys
got = re.split(r"message received", sys.stdin.read())[1:]
print(next(m[m.index("v=0"):m.index("-----") if "-----" in m else None] for m in got if "v=0" in m))')
	shift
	"$PYTHON" -c '
import fnmatch, sys
lines = iter(sys.argv[1].splitlines())
missing = [want for want in sys.argv[2:] if not any(fnmatch.fnmatch(line, want) for line in lines)]
print("#", missing, *sys.argv[1].splitlines(), sep="\n# ") if missing else None
sys.exit(bool(missing))' "$text" "$@"
}

# marked FILE COUNT: so many packets of media came with the DSCP "expedited forwarding" (RFC 3246).
marked()
{
	[ "$(tcpdump -n -r "$1" 'ip[1] == 0xb8 and udp dst port 7000' 2>/dev/null | wc -l)" = "$2" ]
}

# What flags want is what phones get to see, and the packets.
many_flags()
{
	kamailio_start FLAGS_A="TOS=184 rtcp-mux-offer ptime=30 ptime-reverse=40 codec-strip-PCMU replace-SDP-version loop-protect" \
		FLAGS_B="TOS=184 single-codec loop-protect" FLAGS_END="delete-delay=2" || tap_bail kamailio
	rm -f "$WORK"/ua[cs]_messages.log
	capture_start callee phone0 "$WORK/callee.pcap"
	call_start uac_quiet uas_answer -d 4000
	call_answered
	check "the callee is offered what is wanted" told uas 'a=tandem:*' "m=audio ${B_RELAY##*:} RTP/AVP 8 101" \
		a=rtcp-mux a=ptime:30
	check "and the caller is answered so" told uac 'a=tandem:*' "m=audio ${A_RELAY##*:} RTP/AVP 8*" a=ptime:40
	check_not "without what it did not offer" told uac a=rtcp-mux
	media_both 50
	media_exact 50 "with many flags"
	check "every flow is in the fast path" session_has "flows.*.offload=$(datapath_expected)"
	call_ended
	check "media goes on for a while" session_count_is 1
	check "and then no session is left" wait_for 5 session_count_is 0
	capture_stop
	check "packets are marked" marked "$WORK/callee.pcap" 50
	check "no flag is unknown" test "$(tandem stats | field - get ng.unknown_flags)" = 0
	stop_pid "$KAMAILIO_PID"
}

# Two contacts ring, one of them answers: an offer for each, and what the other had is given back.
forked()
{
	kamailio_start WITH_BRANCHES || tap_bail kamailio
	check "bob's other phone registers" register callee bob 5070 "$B_SIP"
	sipp_start callee busy uas_reject "$B_SIP" -p 5070 -mp 6100 -m 1
	local busy=$LAST_PID
	call_start uac_quiet uas_answer -d 4000
	call_answered
	media_both 50
	media_exact 50 "in a call that was forked"
	check "there were two offers" ng_counter commands.offer 2
	call_ended
	check "his other phone was called, too" pid_wait "$busy"
	check "no session is left" wait_for 5 session_count_is 0
	stop_pid "$KAMAILIO_PID"
}

test_begin 150 sipp tcpdump tshark clang-16
need_tandem
need_tool rtpphone g711cmp
topology_up || tap_bail topology
SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\", \"tcp:127.0.0.1:2223\", \"http:127.0.0.1:2225\"]}"
check "tandem starts without SIP" start_tandem || tap_done
AUDIO_PORT=7000
basic_call
AUDIO_PORT=6000
hold_call
AUDIO_PORT=7000
other_family
many_flags
forked
if command -v baresip >/dev/null; then
	phones_through "SDES to plain" "RTP/AVP" srtp-mand '' '' sdes none
	phones_through "plain to SDES" "RTP/SAVP SDES-only-AES_CM_128_HMAC_SHA1_32" '' srtp-mand '' none sdes \
		media.0.b.security.suite_in=AES_CM_128_HMAC_SHA1_32
	phones_through "WebRTC to plain" "RTP/AVP ICE=remove rtcp-mux-demux DTLS-reverse=active" dtls_srtp '' ice dtls none
fi
check "tandem stops when told to" relay_stops
tap_done
