#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets with the exact address of a party, in a call without SRTP, by somebody who is not on its
# way and hears nothing. That they are heard cannot be helped where nothing is authenticated; but
# they lead nothing elsewhere, end nothing, and take nothing from the call, its statistics included.
#
#   alice 10.77.1.2:7000 ---- relay (tandem) ---- bob 10.77.2.2:7000
#   attacker, says it is alice

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/parties.sh"

# Of what is not in the description nothing passes.
MEDIA_EXTRA='strict_payload_types: true'

# stream CONDITION: of what the relay keeps of alice's stream.
stream()
{
	field "$WORK/live.json" has "streams{ssrc=0xa11ce001}.*.$1"
}

inject()
{
	local at before sent
	topology_up || tap_bail "topology"
	check "tandem starts ($DATAPATH)" start_tandem || tap_done
	party_start callee bob --answer --local 10.77.2.2:5060 --proxy "$B_SIP" \
		--media 10.77.2.2:7000 --ssrc 0xb0b00001
	check "bob is ready" wait_for 5 party_is bob ready
	party_start caller alice --call sip:bob@example.test --local 10.77.1.2:5060 --proxy "$A_SIP" \
		--media 10.77.1.2:7000 --ssrc 0xa11ce001
	check "alice is answered" wait_for 8 party_is alice answered
	at=$(relay_of alice)
	check "media passes both ways" wait_for 8 session_has 'verdict~two.way' 'flows.+.packets>40'

	capture_start callee phone0 "$WORK/other.pcap" 'udp and dst host 10.77.2.9'
	check "6000 packets of as many SSRCs" attack caller forge "$at" --from 10.77.1.2:7000 \
		--kind ssrc --count 6000 --rate 3000
	check "RTCP says goodbye for alice" attack caller forge "$at" --from 10.77.1.2:7000 \
		--kind bye --count 500 --rate 1000
	check "and for bob" attack caller forge "$at" --from 10.77.1.2:7000 \
		--kind bye --count 500 --rate 1000 --ssrc 0xb0b00001
	check "from her address, of another port" attack caller forge "$at" --from 10.77.1.2:7777 \
		--kind ssrc --count 1000
	check "from her address, to bob's side" attack caller forge "$(relay_of bob)" \
		--from 10.77.1.2:7000 --kind ssrc --count 1000
	session_save "$WORK/live.json"
	before=$(field "$WORK/live.json" get 'flows.+.packets')
	check "the call goes on" wait_for 5 session_has 'verdict~two.way' \
		"flows.+.packets>$((before + 100))" state=established
	check "media leads where it did" field "$WORK/live.json" has \
		'flows{remote=10.77.1.2:7000}.+.unknown_source>900' \
		'flows{remote=10.77.2.2:7000}.+.unknown_source>900'
	check "alice's stream is what it was" stream lost=0
	check "it has no gap, no restart" stream restarts=0
	check "of the others no more is kept than there is room for" test \
		"$(field "$WORK/live.json" get 'streams.*.ssrc' | wc -l)" -le 4100
	kill -USR2 "${PARTY[alice]}"
	check "alice ends well" party_ended alice
	check "bob ends well" party_ended bob
	sent=$(field "$WORK/alice.json" get sent)
	check "bob has heard all that alice has said" bob_has_heard "$sent"
	check "alice has heard bob alone" party_heard alice 0xb0b00001 's["unique"] > 100'
	capture_stop
	check "nobody else has got anything" test -z "$(tcpdump -nr "$WORK/other.pcap" 2>/dev/null)"
	relay_ends
	rm -f "$WORK"/tandem.db*
}

# Every packet of hers, once, but for the rare one that a busy machine loses.
bob_has_heard()
{
	field "$WORK/bob.json" has "streams.0xa11ce001.unique>=$(($1 - 5))" \
		streams.0xa11ce001.duplicates=0 streams.0xa11ce001.bad=0
}

test_begin 120 tcpdump
need_tandem
each_datapath inject
tap_done
