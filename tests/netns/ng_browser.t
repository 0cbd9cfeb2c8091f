#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A browser phone (SIP.js in a headless Chromium) and a plain phone call each other through stock
# Kamailio, by its websocket module and its rtpengine module with tandem behind it: each hears the
# other's tone. Flags are those of Kamailio's own examples. Needs kamailio-websocket-modules.
#
#   caller: Chromium 700 Hz --- ws --- relay: kamailio --NG--> tandem --- udp --- callee: baresip 1200 Hz

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/kamailio.sh"
. "$(dirname "$0")/browsers.sh"
[ -n "$(find /usr/lib*/ -path '*/kamailio/modules/websocket.so' -print -quit)" ] ||
	tap_skip_all "needs kamailio-websocket-modules"

# browser_is_secure SIDE OTHER: the one has ICE and DTLS with the relay, the other neither.
browser_is_secure()
{
	session_has "media.0.$1.security.kind=dtls" "media.0.$1.security.wire.ice=connected" \
		"media.0.$2.security.kind=none"
}

# over WHICH DELETES
over()
{
	check "no session is left ($1)" wait_for 5 session_count_is 0
	check "Kamailio has said so ($1)" ng_counter commands.delete "$2"
}

test_begin 120 chromium baresip
need_tandem
topology_up || tap_bail "topology"
sipjs_fetch
SIPJS_SERVER=ws://10.77.1.1:8080
SIP_EXTRA="mode: off"
YAML_EXTRA='ng: {listen: ["udp:127.0.0.1:2223"]}'
check "tandem starts without SIP" start_tandem || tap_done
kamailio_start WITH_WEBSOCKET FLAGS_A="trust-address replace-session-connection ICE=remove RTP/AVP" \
	FLAGS_B="trust-address replace-session-connection ICE=force RTP/SAVPF" || tap_bail kamailio

PHONE_ANSWER=auto plain_phone callee bob 1200
browser first --call sip:bob@example.test --hang-up
check "the browser registers with Kamailio" wait_for 30 grep -q registered "$WORK/first.json"
media_passes
check "the browser's side has ICE and DTLS, and bob's nothing" browser_is_secure a b
check "the browser hangs up" pid_wait "$WEB_PID"
check "it has heard bob" heard_by_browser first 1200
over "first" 1
plain_heard bob 700

PHONE_ANSWER=manual plain_phone callee bob 1200
browser second --seconds 30
check "the browser registers again" wait_for 30 grep -q registered "$WORK/second.json"
phone bob dial sip:web@example.test
media_passes
check "the browser's side has ICE and DTLS again" browser_is_secure b a
phone bob hangup
check "bob hangs up" pid_wait "$WEB_PID"
check "the browser has heard bob" heard_by_browser second 1200
over "second" 2
plain_heard bob 700
check "nothing that Kamailio said is unknown" test "$(tandem stats | field - get ng.unknown_flags)" = 0
check "or was refused" test "$(tandem stats | field - get ng.errors)" = 0
stop_pid "$KAMAILIO_PID"
check "tandem stops when told to" relay_stops
tap_done
