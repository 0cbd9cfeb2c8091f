#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The controller is killed in a call whose SRTP ends at the relay, when sequence numbers have rolled
# over in both directions. The next one goes on with the rollover counters, the indices of SRTCP and
# the replay windows of before. Where io_uring carries the call they are in a file; when that is gone,
# too, nothing more is sealed under the old key, and a new one heals the call. A controller that
# another one takes over from loses nothing of all that.
#
#   alice 10.77.1.2:7000, SRTP ---- relay (tandem: killed, restarted) ---- bob 10.77.2.2:7000

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/parties.sh"

MEDIA_EXTRA='security: [{peer: 10.77.1.0/24, policy: sdes_require}, {peer: 10.77.2.0/24, policy: plain}]'
STATE=control.srtp

killed()
{
	kill -KILL "$TANDEM_PID"
	wait "$TANDEM_PID" 2>/dev/null
}

# tape_is_long NAME N: that party has said more than N packets.
tape_is_long()
{
	[ "$(wc -l <"$WORK/$1.tape")" -gt "$2" ]
}

# tape_is_more_by N: alice says so many packets more.
tape_is_more_by()
{
	local n
	n=$(wc -l <"$WORK/alice.tape")
	wait_for 8 tape_is_long alice $((n + $1))
}

# srtcp_grows LEAST: so many packets of SRTCP have come to alice, and the index of each is above
# those before.
srtcp_grows()
{
	tshark -r "$WORK/alice.pcap" -d udp.port==0-65535,data -T fields -e data.data \
		-Y "ip.dst == 10.77.1.2 && udp.dstport == 7001" 2>/dev/null | "$PYTHON" -c '
import struct, sys
words = [struct.unpack("!I", bytes.fromhex(line.strip())[-14:-10])[0] for line in sys.stdin]
indices = [word & 0x7FFFFFFF for word in words]
print(indices)
sys.exit(len(indices) < int(sys.argv[1]) or not all(word >> 31 for word in words)
         or any(a >= b for a, b in zip(indices, indices[1:])))' "$1"
}

# No packet of RTP to alice has the number of another.
rtp_unique()
{
	tshark -r "$WORK/alice.pcap" -d udp.port==0-65535,rtp -T fields -e rtp.seq \
		-Y "ip.dst == 10.77.1.2 && udp.dstport == 7000 && rtp.ssrc == 0xb0b00001" 2>/dev/null |
		sort | uniq -d | wc -l | grep -qx 0
}

call_begins()
{
	party_start callee bob --answer --local 10.77.2.2:5060 --proxy "$B_SIP" \
		--media 10.77.2.2:7000 --ssrc 0xb0b00001 --seq 65500
	check "bob is ready" wait_for 5 party_is bob ready
	capture_start caller phone0 "$WORK/alice.pcap" 'udp and dst host 10.77.1.2'
	party_start caller alice --call sip:bob@example.test --local 10.77.1.2:5060 --proxy "$A_SIP" \
		--media 10.77.1.2:7000 --ssrc 0xa11ce001 --seq 65500 --sdes --tape "$WORK/alice.tape"
	check "alice is answered" wait_for 8 party_is alice answered
	check "media passes both ways, over the rollover ($DATAPATH)" wait_for 15 session_has \
		'verdict~two.way' 'flows{remote=10.77.1.2:7000}.+.packets>80' \
		'flows{remote=10.77.2.2:7000}.+.packets>80'
}

memory_is_locked()
{
	[[ $TANDEM != *.asan ]] || return 0 # sanitizers make nothing of it
	awk '$1 == "VmLck:" { locked = $2 } END { exit locked < 1000 }' "/proc/$TANDEM_PID/status" ||
		grep -q 'memory is not locked' "$WORK/tandem.log"
}

# What the streams have counted is known to the next process.
goes_on()
{
	local n
	cp "$WORK/alice.tape" "$WORK/first.tape"
	killed
	[ "$DATAPATH" != uring ] ||
		check "what is left is for root alone" test "$(stat -c %a "$WORK/$STATE")" = 600
	check "tandem starts again ($DATAPATH)" tandem_launch || tap_done
	check "media goes on" wait_for 10 session_has 'verdict~two.way' \
		'flows{remote=10.77.1.2:7000}.+.packets>60' 'flows{remote=10.77.2.2:7000}.+.packets>60'
	check "no key is lost" session_has media.0.a.security.key_spent=false
	check "what alice sent before is replayed" \
		attack caller replay "$(relay_of alice)" --from 10.77.1.2:7000 --tape "$WORK/first.tape"
	n=$(wc -l <"$WORK/first.tape")
	check "all of it is known to have been" counted "$n" srtp_replay
	check "indices of SRTCP have only grown" wait_for 8 srtcp_grows 6
	check "no number of RTP has come twice" rtp_unique
	check_not "nothing was without room, or unreadable" counted 1 srtp_no_room srtp_auth
}

# Nothing is sealed twice, and no key is lost.
is_taken_over()
{
	local before after
	before=$(wc -l <"$WORK/alice.tape")
	check "another controller takes over ($DATAPATH)" take_over || tap_done
	check "no key is lost by that" session_has media.0.a.security.key_spent=false
	check "media goes on again" tape_is_more_by 50
	after=$(wc -l <"$WORK/alice.tape")
	check "indices of SRTCP have only grown" wait_for 8 srtcp_grows 7
	check "no number of RTP has come twice" rtp_unique
	tap_note "packets of alice meanwhile: $((after - before))"
	check_not "nothing was without room, or unreadable" counted 1 srtp_no_room srtp_auth
}

# Nobody knows the indices any more: silence towards alice, until she has another key.
is_silent_and_heals()
{
	killed
	capture_stop
	rm -f "$WORK/$STATE"
	capture_start caller phone0 "$WORK/silent.pcap" 'udp and dst host 10.77.1.2 and dst portrange 7000-7001'
	check "tandem starts without what it had counted" tandem_launch || tap_done
	check "it says so of the call" wait_for 5 session_has media.0.a.security.key_spent=true \
		media.0.b.security.key_spent=false state=established
	check "what bob says ends there" wait_for 8 counted 60 srtp_no_room
	check "the verdict says why" wait_for 5 session_has 'verdict~packets.of.the.callee.are.dropped'
	check "nothing at all has been sealed" eval 'capture_stop; test "$(tshark -r "$WORK/silent.pcap" 2>/dev/null | wc -l)" = 0'
	kill -USR1 "${PARTY[alice]}"
	check "alice takes a new key" wait_for 5 party_is alice reinvited
	check "and gets one" wait_for 5 session_has media.0.a.security.key_spent=false
	check "she hears again" wait_for 8 session_has 'verdict~two.way' \
		'flows{remote=10.77.2.2:7000}.*.dropped>0'
}

survives()
{
	topology_up || tap_bail "topology"
	check "tandem starts ($DATAPATH)" start_tandem || tap_done
	check "its memory does not go to swap, or it says so" memory_is_locked
	call_begins
	goes_on
	is_taken_over
	[ "$DATAPATH" != uring ] || is_silent_and_heals
	check "there is time to hear" tape_is_more_by 60
	kill -USR2 "${PARTY[alice]}"
	check "alice ends well" party_ended alice
	check "bob ends well" party_ended bob
	check "bob has heard alice, each packet once" party_heard bob 0xa11ce001 \
		"s['unique'] > 200" "s['duplicates'] == 0"
	check "alice has heard bob, and could read it all" party_heard alice 0xb0b00001 \
		"s['unique'] > 200" "s['duplicates'] == 0"
	capture_stop
	relay_ends
	check_not "nothing is left of it" test -e "$WORK/$STATE"
	rm -f "$WORK"/tandem.db* "$WORK"/*.pcap
}

test_begin 150 tcpdump tshark
need_tandem
"$PYTHON" -c 'import pylibsrtp' 2>/dev/null || tap_skip_all "needs python3-pylibsrtp"
DATAPATHS=${DATAPATHS:-uring xdp} each_datapath survives
tap_done
