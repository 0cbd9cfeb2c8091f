#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# RTPbleed (CVE-2017-14099 and its kin): RTP in sequence comes to all media ports from those who
# have no part in a call, before it is answered, while its callers behind NAT have still to be
# learned, while they talk and are called anew. None is ever taken for one of them. Where media is
# secured, this holds for who has the caller's very address, too.
#
#   alice 10.77.1.2 (says 192.168.55.5)        ---- relay ---- bob 10.77.2.2
#   sally 10.77.1.3 (says 192.168.55.6), SRTP  ---- relay ---- carol 10.77.2.3
#   10.77.1.9 and 10.77.1.3:9999                               10.77.2.9

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/parties.sh"

# The policy is that of the address.
MEDIA_EXTRA='security: [{peer: 10.77.1.3, policy: sdes_require}, {peer: 10.77.2.3, policy: plain}]'

sprays_begin()
{
	attack_start caller far spray 10.77.1.1:16384-17407 --bind 10.77.1.9
	SPRAYS=("$LAST_PID")
	attack_start caller near spray 10.77.1.1:16384-17407 --bind 10.77.1.3:9999
	SPRAYS+=("$LAST_PID")
	attack_start callee other spray 10.77.2.1:16384-17407 --bind 10.77.2.9
	SPRAYS+=("$LAST_PID")
}

# Nobody who sprays has heard anything, and each has been round the ports for as long.
sprays_end()
{
	local pid name
	for pid in "${SPRAYS[@]}"; do
		stop_pid "$pid"
	done
	for name in far near other; do
		check "nothing has come to the attacker ($name, $DATAPATH)" \
			field "$WORK/$name.json" has heard=0 'rounds>10'
	done
}

parties_begin()
{
	party_start callee bob --answer --ring 0.6 --local 10.77.2.2:5060 --proxy "$B_SIP" \
		--media 10.77.2.2:7000 --ssrc 0xb0b00001
	party_start callee carol --answer --ring 0.6 --local 10.77.2.3:5060 --proxy "$B_SIP" \
		--media 10.77.2.3:7000 --ssrc 0xca401001
	check "bob is ready" wait_for 5 party_is bob ready
	check "carol is ready" wait_for 5 party_is carol ready
}

bleed()
{
	local name
	topology_up || tap_bail "topology"
	addr_add caller phone0 10.77.1.3/24
	addr_add callee phone0 10.77.2.3/24
	check "tandem starts ($DATAPATH)" start_tandem || tap_done
	parties_begin
	sprays_begin
	party_start caller alice --call sip:bob@example.test --local 10.77.1.2:5060 --proxy "$A_SIP" \
		--media 10.77.1.2:41000 --says 192.168.55.5:7000 --quiet 1 --ssrc 0xa11ce001
	party_start caller sally --call sip:carol@example.test --local 10.77.1.3:5060 \
		--proxy "$A_SIP" --media 10.77.1.3:41000 --says 192.168.55.6:7000 --quiet 1 --sdes \
		--ssrc 0x5a117001
	for name in alice sally; do
		check "$name is answered" wait_for 8 party_is "$name" answered
	done
	check "alice is learned" wait_for 5 any_session 'flows{remote=10.77.1.2:41000}.*.packets>20'
	check "sally is learned" wait_for 5 any_session 'flows{remote=10.77.1.3:41000}.*.packets>20'
	check "who has her address was not taken for her" counted 2 unproven
	for name in alice sally; do
		kill -USR1 "${PARTY[$name]}"
		check "$name has called anew" wait_for 5 party_is "$name" reinvited
	done
	sleep 1
	check "alice is still alice" any_session 'flows{remote=10.77.1.2:41000}.*.packets>60'
	check "sally is still sally" any_session 'flows{remote=10.77.1.3:41000}.*.packets>60'
	check "the strangers are counted" any_session 'flows.+.unknown_source>10'
	kill -USR2 "${PARTY[alice]}" "${PARTY[sally]}"
	for name in alice sally bob carol; do
		check "$name ends well" party_ended "$name"
	done
	sprays_end
	check "bob has heard alice alone" party_heard bob 0xa11ce001 's["unique"] > 60' 'r["rtcp"]'
	check "alice has heard bob alone" party_heard alice 0xb0b00001 's["unique"] > 60'
	check "carol has heard sally alone" party_heard carol 0x5a117001 's["unique"] > 60' 'r["rtcp"]'
	check "sally has heard carol alone" party_heard sally 0xca401001 's["unique"] > 60'
	relay_ends
	rm -f "$WORK"/tandem.db*
}

test_begin 150
need_tandem
"$PYTHON" -c 'import pylibsrtp' 2>/dev/null || tap_skip_all "needs python3-pylibsrtp"
each_datapath bleed
tap_done
