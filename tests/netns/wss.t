#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A browser phone (SIP.js in a headless Chromium) with TLS and a password over WebSocket: it calls
# a plain phone and is called by it; each hears the other's tone, and each hangs up once. And
# who is not let in.
#
#   caller: Chromium 700 Hz --- wss --- relay (tandem) --- udp --- callee: baresip 1200 Hz

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/browsers.sh"
test_begin 150 chromium baresip openssl
need_tandem
topology_up || tap_bail "topology"
sipjs_fetch
SIPJS_SERVER=wss://10.77.1.1:8443/sip

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/relay.key" -out "$WORK/relay.pem" -days 2 \
	-subj /CN=relay.example.test 2>/dev/null
LISTEN_EXTRA='- "wss:10.77.1.1:8443"
    - "ws:10.77.1.1:8080"'
SIP_EXTRA="tls: {certificate: $WORK/relay.pem, key: $WORK/relay.key}
  web: {path: /sip, max_per_source: 3}
  auth_algorithms: [md5]"
MEDIA_EXTRA='security: [{peer: 10.77.2.0/24, policy: plain}]'
# user NAME: with the password that all have here.
user()
{
	timeout 5 "$TANDEM" user add "$1" -c "$WORK/tandem.yaml" <<<secret
}

check "tandem starts" start_tandem || tap_done
check "there is a user for the browser" user web
check "and one for the phone" user bob
check "passwords are asked for" wait_for 10 grep -q "need credentials" "$WORK/tandem.log"

# registered_as SOURCE TRANSPORT: web's only contact.
registered_as()
{
	tandem registrations | "$PYTHON" -c '
import json, sys
c = [r for r in json.load(sys.stdin)["registrations"] if "web@" in r["aor"]]
print(c)
sys.exit(not (len(c) == 1 and c[0]["source"].startswith(sys.argv[1]) and c[0]["transport"] == sys.argv[2]))
' "$@"
}

# frames CASE [HEADER...]: by hand, at the listener without TLS.
frames()
{
	ns_run caller "$PYTHON" "$NETNS/browser/frames.py" 10.77.1.1:8080 "${WS_PATH:-/sip}" "$@"
}

check "who speaks SIP is let in" frames hello "Sec-WebSocket-Protocol: sip"
check_not "who speaks something else is not" frames hello "Sec-WebSocket-Protocol: chat"
check_not "nor who does not say" frames hello "Origin: http://x"
WS_PATH=/x check_not "nor who asks for another path" frames hello
check "a message needs no Content-Length" frames plain
check "it may come in pieces, and with more than it says" frames pieces
check "and in binary frames" frames binary
check "a keep-alive is answered" frames keepalive
check "what is no message is dropped" frames garbage
check "and counted" eval 'tandem stats | field - has web.malformed=4'
check "a message that is too long ends the connection" frames long
check "so does one that is not masked" frames unmasked
check "a source has no more connections than it may" frames many
check "they are gone" wait_for 5 eval 'tandem stats | field - has web.connections=0'

"$PYTHON" "$NETNS/tone.py" make "$WORK/bob.wav" 1200 60
PHONE_ANSWER=auto check "bob's phone starts" phone_start callee bob
PLAIN_PID=$PHONE_PID
check "bob is registered" phone_registered bob 10

browser first --call sip:bob@example.test --hang-up
check "the browser registers" wait_for 30 grep -q registered "$WORK/first.json"
check "the call is up, with media both ways" wait_for 20 session_has 'verdict~two.way' 'flows.+.packets>200'
check "it is known by its own address" registered_as "10.77.1.2:" wss
check "the browser hangs up" pid_wait "$WEB_PID"
check "it has heard bob" heard_by_browser first 1200
check "no session is left" wait_for 5 session_count_is 0
stop_pid "$PLAIN_PID"
check "bob has heard the browser" test "$("$PYTHON" "$NETNS/tone.py" peak "$(heard bob)")" = 700
rm -rf "${WORK:?}/bob" "$WORK/bob.events"

PHONE_ANSWER=manual check "bob's phone starts again" phone_start callee bob
PLAIN_PID=$PHONE_PID
check "bob is registered again" phone_registered bob 10
browser second --seconds 30
check "the browser registers again" wait_for 30 grep -q registered "$WORK/second.json"
phone bob dial sip:web@example.test
check "the browser takes the call, with media both ways" wait_for 20 session_has \
	'verdict~two.way' 'flows.+.packets>200'
sleep 2
phone bob hangup
check "bob hangs up" pid_wait "$WEB_PID"
check "the browser has heard bob" heard_by_browser second 1200
check "no session is left again" wait_for 5 session_count_is 0
stop_pid "$PLAIN_PID"
check "bob has heard the browser again" test "$("$PYTHON" "$NETNS/tone.py" peak "$(heard bob)")" = 700
check "its connection is gone" wait_for 5 eval 'tandem stats | field - has web.connections=0'
relay_ends
tap_done
