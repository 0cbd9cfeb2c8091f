#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Messages of RFC 4475 that cannot be read, octet by octet, over UDP, TCP and TLS: each is answered as RFC
# 3261 has it, no answer is much longer than what was asked, and a flood of them gets few. Behind
# all that, a call.
#
#   caller (a script, sipp) ---- relay (tandem: udp, tcp, tls) ---- callee (sipp)

. "$(dirname "$0")/calls.sh"
command -v openssl >/dev/null || tap_skip_all "needs openssl"
AUDIO_PORT=7000
test_begin 60 sipp tcpdump tshark clang-16
need_tandem
need_tool rtpphone
topology_up || tap_bail "topology"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=relay \
	-keyout "$WORK/relay.pem" -out "$WORK/relay.crt" 2>/dev/null
cat "$WORK/relay.crt" >>"$WORK/relay.pem"
LISTEN_EXTRA='- "tls:10.77.1.1:5061"'
SIP_EXTRA="tls: {certificate: $WORK/relay.pem}
  source_rate: 40"
check "tandem starts" start_tandem || tap_done

MESSAGES=$NETNS/../corpus/rfc4475
WANTED=()
# valid, but not for here: 403
for m in badinv01=400 ltgtruri=400 lwsruri=400 lwsstart=400 trws=400 badvers=505 unksm2=400 \
	inv2543=400 longreq=403 bigcode=0; do
	WANTED+=("$MESSAGES/${m/=/.dat=}")
done

# answers TRANSPORT PORT: all of them come as they should.
answers()
{
	ns_run caller "$PYTHON" "$NETNS/unreadable.py" each "$1" "10.77.1.1:$2" "${WANTED[@]}" \
		>"$WORK/$1.json"
}

flood()
{
	ns_run caller "$PYTHON" "$NETNS/unreadable.py" flood "$1" 10.77.1.1:5060 \
		"$MESSAGES/badvers.dat" >"$WORK/flood.json"
}

counted()
{
	tandem stats | field - has "$@"
}

check "over UDP" answers udp 5060
check "no answer is more than 192 octets longer" field "$WORK/udp.json" has answered=9 'longer<=192'
check "over TCP" answers tcp 5060
check "over TLS" answers tls 5061
check "they are counted" counted 'auth.unreadable>=18'

check "a flood comes" flood 20000
check "and is answered at its rate" field "$WORK/flood.json" has 'sent>=1000' 'answered>=1' \
	'answered<=600'
check "the others are counted" counted 'auth.limited>=400'

call_start uac_quiet uas_answer -d 2000
call_answered
media_both 20
call_ended
relay_ends
tap_done
