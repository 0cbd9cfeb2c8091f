#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The NG protocol by HTTPS and WSS, from another host: who has a certificate of ours is answered; a
# stranger, one without, and versions that are too old are not. Certificates change while the relay
# runs.
#
#   caller 10.77.1.2 ---- https, wss ---- 10.77.1.1:2226 relay

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/certificates.sh"

# asked CA OPTIONS... HOW WHAT...: what the relay answers.
asked()
{
	local ca=$1
	shift
	ns_run caller timeout 10 "$PYTHON" "$NETNS/ng_https.py" 10.77.1.1:2226 "$WORK/$ca.pem" "$@"
}

# is_refused WHY ARGUMENTS of asked...: there is no answer, and that (a regular expression) is the reason.
is_refused()
{
	local why=$1 answer
	shift
	answer=$(asked "$@") && return 1
	echo "# $answer"
	[[ $answer =~ $why ]]
}

# is_answered WORDS ARGUMENTS of asked...
is_answered()
{
	local words=$1 answer
	shift
	answer=$(asked "$@")
	echo "# $answer"
	[[ $answer == *"$words"* ]]
}

ping='{"command": "ping"}'
# By TLS 1.3 a client takes itself for connected by then: it may see no more than the end.
turned_away='certificate required|unknown ca|EOF|reset by peer'

shown_cn()
{
	ns_run caller timeout 5 openssl s_client -connect 10.77.1.1:2226 "${mine[@]/--/-}" </dev/null 2>&1 |
		grep -q "subject=CN = $1\$"
}

test_begin 60 openssl
need_tandem
topology_up || tap_bail topology
mine=(--cert "$WORK/client.pem" --key "$WORK/client.key")
theirs=(--cert "$WORK/stranger.pem" --key "$WORK/stranger.key")
certificate ca "test authority"
certificate relay one.example.test ca
certificate client client.example.test ca
certificate stranger client.example.test
certificate second two.example.test ca
SIP_EXTRA="mode: off"
YAML_EXTRA="ng:
  listen: [\"https:10.77.1.1:2226\", \"http:127.0.0.1:2225\"]
  allow: [10.77.1.0/24, 127.0.0.0/8]
  tls: {certificate: $WORK/relay.pem, key: $WORK/relay.key, ca: $WORK/ca.pem, client: require}"
check "tandem starts" start_tandem || tap_done

check "a request by HTTPS is answered" is_answered '200 {"result":"pong"}' ca "${mine[@]}" post /ng-plain "$ping"
check "a message by WSS, too" is_answered '{"result":"pong"}' ca "${mine[@]}" socket "$ping"
check "and what Prometheus asks for" is_answered 'tandem_sessions 0' ca "${mine[@]}" get /metrics
check "by TLS 1.2 as well" eval 'ns_run caller timeout 5 openssl s_client -tls1_2 -brief \
	-connect 10.77.1.1:2226 -cert "$WORK/client.pem" -key "$WORK/client.key" </dev/null 2>&1 | grep -q TLSv1.2'
check "a client without a certificate is not answered" is_refused "$turned_away" ca post /ng-plain "$ping"
check "nor one that another has signed for" is_refused "$turned_away" ca "${theirs[@]}" post /ng-plain "$ping"
check "nor by WSS" is_refused "$turned_away" ca "${theirs[@]}" socket "$ping"
check "nor by a version that is too old" is_refused "version" ca "${mine[@]}" --old post /ng-plain "$ping"
check "a client that does not know the authority hangs up" is_refused "verify failed" stranger "${mine[@]}" post /ng-plain "$ping"
check "and nothing of theirs was carried out" test "$(tandem stats | field - get ng.commands.ping)" = 2
check_not "plain HTTP is not answered there" ns_run caller "$PYTHON" -c '
import urllib.request; print(urllib.request.urlopen("http://10.77.1.1:2226/ping", timeout=5).read())'
check "the relay shows what it is called" shown_cn one.example.test
cp "$WORK/second.key" "$WORK/relay.key"
cp "$WORK/second.pem" "$WORK/relay.pem"
check "another certificate is taken up by itself" wait_for 15 shown_cn two.example.test
check "and requests are answered as before" is_answered pong ca "${mine[@]}" post /ng-plain "$ping"
echo nonsense >"$WORK/relay.pem"
kill -HUP "$TANDEM_PID"
check "one that cannot be read is complained of" wait_for 5 grep -q "the old certificate stays in use" "$WORK/tandem.log"
check "and the one before stays" shown_cn two.example.test
check "tandem stops when told to" relay_stops
tap_done
