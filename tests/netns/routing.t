#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls that leave: by gateways that fail and come back, by names of a real name server,
# by numbers, and those that may not.
#
#   caller 10.77.1.2 --- tandem --- one    10.77.2.2:5070   two  10.77.2.9:5070
#          10.77.1.9 (no right)     six    [fd77:2::9]:5070
#                                   media  10.77.2.2:5060 (sipp)
#                                   dnsmasq 10.77.2.2:53

. "$(dirname "$0")/calls.sh"
command -v dnsmasq >/dev/null || tap_skip_all "needs dnsmasq"
SIP_EXTRA="name_servers: [10.77.2.2]
  auth_algorithms: [md5]"
YAML_EXTRA='gateways:
  - {name: one, uri: "sip:10.77.2.2:5070", priority: 1, options_s: 1, timeout_s: 1, prefix_strip: 1, prefix_add: "00"}
  - {name: two, uri: "sip:two.carrier.test:5070", priority: 2, options_s: 1}
  - {name: media, uri: "sip:10.77.2.2:5060", options_s: 0, sources: [10.77.2.77]}
routes:
  - {to: "+9*", from: [10.77.1.2], via: [media]}
  - {to: "+49*", from: [10.77.1.2], via: [one, two]}
  - {to: "+44*", via: [one]}
  - {to: "+33*", from: [one], via: [two]}
  - {to: "tel:", from: [10.77.1.2], via: [enum]}
  - {domain: partner.test, from: [10.77.1.2], via: [dns]}
  - {domain: six.test, from: [10.77.1.2], via: [dns]}'

names_start()
{
	ns_start callee "$WORK/dnsmasq.log" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv \
		--no-hosts --user=root --pid-file= --listen-address=10.77.2.2 --bind-interfaces \
		--local=/test/ --local=/arpa/ \
		--naptr-record=partner.test,10,10,s,SIP+D2T,,_sip._tcp.partner.test \
		--naptr-record=partner.test,5,10,s,SIP+D2U,,_sip._udp.partner.test \
		--srv-host=_sip._udp.partner.test,one.partner.test,5070,1,1 \
		--srv-host=_sip._udp.partner.test,two.partner.test,5070,2,1 \
		--host-record=one.partner.test,10.77.2.2 --host-record=two.partner.test,10.77.2.9 \
		--host-record=two.carrier.test,10.77.2.9 \
		--srv-host=_sip._udp.six.test,host.six.test,5070,1,1 \
		--host-record=host.six.test,fd77:2::9 \
		--host-record=link.partner.test,169.254.1.1 \
		'--naptr-record=3.2.1.8.e164.arpa,10,10,u,E2U+sip,!^\+8(.*)$!sip:n\1@partner.test!'
	wait_for 5 udp_bound callee 53
}

# gateway_start NAME ADDRESS PORT...: answers as $WORK/NAME.mode says.
gateway_start()
{
	local name=$1
	shift
	echo 200 >"$WORK/$name.mode"
	: >"$WORK/$name.log"
	ns_start callee "$WORK/$name.out" "$PYTHON" "$NETNS/gateway.py" serve "$WORK/$name.log" \
		"$WORK/$name.mode" "$@"
}

# call_gets STATUS URI [ADDRESS]: the final response that a caller gets, or one at a gateway.
call_gets()
{
	local got ns=caller relay=$A_SIP
	[[ ${3:-} != 10.77.2.* ]] || ns=callee relay=$B_SIP
	got=$(ns_run $ns "$PYTHON" "$NETNS/gateway.py" call "${3:-10.77.1.2}" "$relay" "$2") || return 1
	echo "got $got"
	[ "$got" = "$1" ]
}

# gateway_is NAME CONDITION: of what "tandem gateways" says, as Python.
gateway_is()
{
	tandem gateways | "$PYTHON" -c '
import json, sys
g = {g["name"]: g for g in json.load(sys.stdin)["gateways"]}[sys.argv[1]]
sys.exit(not eval(sys.argv[2], {}, g))' "$1" "$2"
}

got()
{
	grep -q "$2" "$WORK/$1.log"
}

mode()
{
	echo "$2" >"$WORK/$1.mode"
	: >"$WORK/$1.log"
}

test_begin 90 sipp tcpdump tshark clang-16
need_tandem
need_tool rtpphone
topology_up || tap_bail "topology"
check "the name server answers" names_start || tap_done
gateway_start one 10.77.2.2 5070
gateway_start two 10.77.2.9 5070
gateway_start six fd77:2::9 5070
check "tandem starts" start_tandem || tap_done
check "gateways are up, one of them found by its name" wait_for 10 eval \
	'gateway_is one "state == \"up\" and rtt_ms > 0" && gateway_is two "addresses == [\"UDP 10.77.2.9:5070\"]"'

# ---- gateways
mode one 404
check "a number goes to the first gateway" call_gets 404 sip:+4930123@example.test
check "with another prefix" got one '^INVITE sip:004930123@10.77.2.2:5070;user=phone$'
mode one 503
mode two 486
check "another is tried after 503" call_gets 486 tel:+49-30-124
check "which has its own form of the number" got two '^INVITE sip:+4930124@two.carrier.test:5070'
mode one silent
check "and after silence" call_gets 486 sip:+4930125@example.test
check "the silent one has been tried" got one '^INVITE sip:004930125@'
mode one dead
check "one that does not answer OPTIONS is down" wait_for 20 gateway_is one 'state == "down"'
mode one dead
check "calls leave it out" call_gets 486 sip:+4930126@example.test
check_not "and do not even try" got one '^INVITE'
mode one 404
check "one that answers again is up" wait_for 20 gateway_is one 'state == "up"'
check "and has its calls again" call_gets 404 sip:+4930127@example.test
check "its failures are counted" gateway_is one 'failures >= 2 and unanswered >= 2 and changed_ago_s >= 0'

# ---- who may not
check "no call without a password where users may" call_gets 407 sip:+4420123@example.test
check "no call from another network" call_gets 403 sip:+4930123@example.test 10.77.1.9
check "none to where no route leads" call_gets 480 sip:+1555@example.test
check "nor to any domain" call_gets 403 sip:a@example.org
check "nor to addresses beside us by a name" call_gets 403 'sip:a@partner.test;maddr=169.254.1.1'
check "nor by a route for a gateway" call_gets 403 sip:+33123@example.test
check "a gateway may not leave by another" call_gets 403 sip:+4930123@example.test 10.77.2.2
mode two 486
check "but where it is named" call_gets 486 sip:+33123@example.test 10.77.2.2

# ---- names and numbers
mode one 486
check "a partner by NAPTR, SRV and address" call_gets 486 sip:carol@partner.test
check "at its first server" got one '^INVITE sip:carol@partner.test$'
mode one 503
mode two 486
check "at its second when the first fails" call_gets 486 sip:dave@partner.test
check "which has the request" got two '^INVITE sip:dave@partner.test$'
mode six 486
check "over IPv6" call_gets 486 sip:erin@six.test
check "which has that request" got six '^INVITE sip:erin@six.test$'
mode one 486
check "a number by ENUM" call_gets 486 tel:+8-123
check "and what ENUM makes of it" got one '^INVITE sip:n123@partner.test$'
check "one that ENUM does not know" call_gets 404 tel:+8124

# ---- media through a gateway
audio_pcap 40
sipp_start callee uas uas_answer "$B_SIP" -p 5060 -m 1
wait_for 5 phone_listens callee || tap_bail "the gateway's sipp listens"
sipp_start caller uac uac_call "$A_SIP" -p 5060 -s +9123 -m 1 -d 600
UAC_PID=$LAST_PID
check "a call by a gateway is answered" wait_for 8 media_known
check "its media pass through tandem" grep -q '^media 10.77.1.1 ' "$WORK/uac_actions.log"
check "the call ends well" pid_wait $UAC_PID
relay_ends
tap_done
