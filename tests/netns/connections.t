#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One source opens 2,000 connections, begins handshakes of TLS and ends none, and sends messages an
# octet at a time. It gets its share and no more, while phones of another source register and stay.
# A source that is blocked loses what it has open.
#
#   caller: floods, drips ---- relay (tandem, tcp and tls) ---- callee: phones, who stay connected
#         10.77.1.2      10.77.1.1:5060,5061    10.77.2.1:5060,5061      10.77.2.2

. "$(dirname "$0")/calls.sh"
command -v openssl >/dev/null || tap_skip_all "needs openssl"
test_begin 90
need_tandem
topology_up || tap_bail "topology"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=relay \
	-keyout "$WORK/relay.pem" -out "$WORK/relay.crt" 2>/dev/null
cat "$WORK/relay.crt" >>"$WORK/relay.pem"
LISTEN_EXTRA='- "tls:10.77.1.1:5061"
    - "tls:10.77.2.1:5061"'
SIP_EXTRA="tls: {certificate: $WORK/relay.pem}
  connections: {max_per_source: 100, handshake_s: 4, message_s: 4, idle_s: 6}"

# client NS NAME ARGS...: connections.py in the background, what it says in $WORK/NAME.json.
client()
{
	ns_start "$1" "$WORK/$2.json" "$PYTHON" "$NETNS/connections.py" "${@:3}"
}

# last NAME CONDITION...: of the last line that it has said.
last()
{
	tail -n 1 "$WORK/$1.json" | field - has "${@:2}"
}

counted()
{
	tandem stats | field - has "$@"
}

check "tandem starts" start_tandem || tap_done
client callee early phone --to 10.77.2.1:5061 --tls --user early --seconds 14
EARLY=$LAST_PID
check "a phone is registered over TLS" wait_for 5 last early status=200

client caller flood flood --to 10.77.1.1:5061 --seconds 20
FLOOD=$LAST_PID
check "of 2,000 connections no more than 100 are open" wait_for 30 last flood 'open<=100' 'open>=1'
check "the relay has counted those it refused" counted 'connections.refused_source>=1500'
client callee tcp phone --to 10.77.2.1:5060 --user tcp --seconds 8
TCP=$LAST_PID
client callee tls phone --to 10.77.2.1:5061 --tls --user tls --seconds 8
TLS=$LAST_PID
check "meanwhile a phone of another source registers over TCP" wait_for 5 last tcp status=200
check "and one over TLS" wait_for 5 last tls status=200
check "the handshakes that were begun end" pid_wait "$FLOOD"
check "all of them" last flood left=0
check "for their time was over" counted 'connections.handshake_timeout>=100' connections.handshakes=0

client caller first drip --to 10.77.1.1:5060
FIRST=$LAST_PID
client caller later drip --to 10.77.1.1:5061 --tls --after
LATER=$LAST_PID
client caller silent silent --to 10.77.1.1:5060
SILENT=$LAST_PID
pid_wait "$FIRST"
check "a first message of an octet a second does not last" last first closed=true
pid_wait "$LATER"
check "nor does one after a good one, over TLS" last later status=200 closed=true
check "both are counted" counted 'connections.message_timeout=2'
pid_wait "$SILENT"
check "who is silent goes later" last silent status=200 closed=true 'after_s>=5'
check "and is counted" counted 'connections.idle_timeout=1'
pid_wait "$EARLY" "$TCP" "$TLS"
for name in early tcp tls; do
	check "the phone '$name' has kept its connection" last "$name" closed=false 'pongs>=3'
done

client callee cut phone --to 10.77.2.1:5061 --tls --user cut --seconds 10
CUT=$LAST_PID
check "one more phone" wait_for 5 last cut status=200
check "its source is blocked" tandem block add 10.77.2.2
pid_wait "$CUT"
check "and its connection closed at once" last cut closed=true
client callee cut flood --to 10.77.2.1:5060 --count 5 --seconds 1
pid_wait "$LAST_PID"
check "it gets no other" last cut open=0
check "which is counted" counted 'connections.refused_blocked=5' 'connections.closed_blocked=1'
check "in the end nothing is open" wait_for 5 counted connections.open=0
relay_ends
tap_done
