#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call whose SRTP ends at the relay is attacked by who has a party's exact address and its SSRC,
# and what it has sent, but not its keys: floods of wrong tags (CVE-2021-41105 and its kin), forged
# RTCP, replays, also of what was sent under keys of before. All of it ends at the relay, is counted
# and changes nothing; the call goes on.
#
#   alice 10.77.1.2:7000, SRTP ---- relay (tandem) ---- bob 10.77.2.2:7000
#   attacker, says it is alice

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/parties.sh"

MEDIA_EXTRA='security: [{peer: 10.77.1.0/24, policy: sdes_require}, {peer: 10.77.2.0/24, policy: plain}]'

# as_alice KIND COUNT [OPTIONS...]: to where the relay takes her media.
as_alice()
{
	attack caller forge "$AT" --from 10.77.1.2:7000 --kind "$1" --count "$2" "${@:3}"
}

replayed()
{
	attack caller replay "$AT" --from 10.77.1.2:7000 --tape "$1"
}

# goes_on WHAT: both are still heard, and alice's stream is the only one of her flow.
goes_on()
{
	local before
	session_save "$WORK/live.json"
	before=$(field "$WORK/live.json" get 'flows.+.packets')
	check "the call goes on after $1 ($DATAPATH)" wait_for 5 session_has 'verdict~two.way' \
		"flows.+.packets>$((before + 60))" state=established
	check "it goes where it went" field "$WORK/live.json" has \
		'flows{remote=10.77.1.2:7000}.*.local~^10' 'flows{remote=10.77.2.2:7000}.*.local~^10'
	check "no stream has come of it" \
		test "$(field "$WORK/live.json" get 'streams.*.ssrc' | sort -u | xargs)" = \
		"0xa11ce001 0xb0b00001"
}

# As long as the replay window, and over the rollover of sequence numbers.
taped()
{
	[ "$(wc -l <"$WORK/alice.tape")" -gt 180 ]
}

hostile()
{
	local lines n
	topology_up || tap_bail "topology"
	check "tandem starts ($DATAPATH)" start_tandem || tap_done
	party_start callee bob --answer --local 10.77.2.2:5060 --proxy "$B_SIP" \
		--media 10.77.2.2:7000 --ssrc 0xb0b00001
	check "bob is ready" wait_for 5 party_is bob ready
	party_start caller alice --call sip:bob@example.test --local 10.77.1.2:5060 --proxy "$A_SIP" \
		--media 10.77.1.2:7000 --ssrc 0xa11ce001 --sdes --tape "$WORK/alice.tape"
	check "alice is answered" wait_for 8 party_is alice answered
	AT=$(relay_of alice)
	check "media passes both ways" wait_for 8 session_has 'verdict~two.way' 'flows.+.packets>40'

	lines=$(wc -l <"$WORK/tandem.log")
	# what climbs to the host takes more of this machine
	[ "$DATAPATH" = uring ] && n=100000 || n=30000
	check "$n wrong tags" as_alice tag "$n" --rate $((n / 4))
	check "they are counted as that" counted $((n * 8 / 10)) srtp_auth srtp_replay
	check "wrong tags of many SSRCs" as_alice ssrc 2000
	check "RTCP says goodbye in the clear" as_alice bye 200
	check "and with a wrong tag" as_alice srtcp 200
	goes_on "the floods"

	check "there is much to replay" wait_for 8 taped
	n=$(wc -l <"$WORK/alice.tape")
	cp "$WORK/alice.tape" "$WORK/first.tape"
	check "all of it is replayed" replayed "$WORK/first.tape"
	check "that is seen" counted $((n / 2)) srtp_replay
	kill -USR1 "${PARTY[alice]}"
	check "alice takes a new key" wait_for 5 party_is alice reinvited
	check "what she sent before is replayed" replayed "$WORK/first.tape"
	goes_on "the replays"
	check "nothing floods the log" test $(($(wc -l <"$WORK/tandem.log") - lines)) -lt 20

	kill -USR2 "${PARTY[alice]}"
	check "alice ends well" party_ended alice
	check "bob ends well" party_ended bob
	check "bob has heard alice, each packet once" party_heard bob 0xa11ce001 \
		"s['unique'] > $(field "$WORK/alice.json" get sent) * 0.9" "s['duplicates'] == 0" \
		"0 < r['rtcp']['0xa11ce001'] <= 2 * $(field "$WORK/alice.json" get rtcp_sent)"
	check "alice has heard bob" party_heard alice 0xb0b00001 \
		"s['unique'] > $(field "$WORK/bob.json" get sent) * 0.9" "s['duplicates'] == 0"
	relay_ends
	rm -f "$WORK"/tandem.db*
}

test_begin 150
need_tandem
"$PYTHON" -c 'import pylibsrtp' 2>/dev/null || tap_skip_all "needs python3-pylibsrtp"
each_datapath hostile
tap_done
