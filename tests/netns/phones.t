#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test phones themselves, without tandem: the relay namespace routes.
#
#   caller (sipp, rtpphone) --- relay (kernel forwarding) --- callee (sipp, rtpphone)
#
# What fails here fails because of the tools, not because of the relay.

. "$(dirname "$0")/lib.sh"
test_begin 100 sipp tcpdump tshark clang-16
need_tool rtpphone g711cmp
topology_up forward || tap_bail "topology"
audio_pcap 60

# pair UAC UAS [UAC OPTIONS]: both scenarios end well with each other.
pair()
{
	local uac=$1 uas=$2 pid rc
	shift 2
	sipp_start callee "$uas" "$uas" 10.77.1.2:5060 -p 5060 -m 1 -d 500 ${UAS_OPTIONS:-}
	pid=$LAST_PID
	wait_for 5 eval 'udp_bound callee 5060 || tcp_bound callee 5060'
	sipp_run caller "$uac" "$uac" 10.77.2.2:5060 -p 5060 -s bob -m 1 -d 500 \
		-key moved_ip 10.77.1.9 -key moved_port 6100 "$@"
	rc=$?
	pid_wait "$pid" && [ $rc -eq 0 ]
}

# reach SOURCE DESTINATION: ten packets there and back.
reach()
{
	local echo
	ns_start callee "$WORK/echo.json" "$TOOLS/rtpphone" --bind "$2:7000" --echo
	echo=$LAST_PID
	wait_for 5 udp_bound callee 7000
	ns_run caller "$TOOLS/rtpphone" --bind "$1:7000" --to "$2:7000" --count 10 --ptime 2 >"$WORK/reach.json"
	stop_pid "$echo"
	field "$WORK/reach.json" has streams.0.unique=10
}

check "packets go there and back (IPv4)" reach 10.77.1.2 10.77.2.2
check "packets go there and back (IPv6)" reach '[fd77:1::2]' '[fd77:2::2]'

SIPP_TIMEOUT=8
check "call" pair uac_call uas_play
check "call without media" pair uac_quiet uas_answer
check "BYE from the callee" pair uac_wait_bye uas_bye
check "hold and resume" pair uac_hold uas_hold
check "re-INVITE to another address" pair uac_move uas_reinvite
check "CANCEL" pair uac_cancel uas_cancel
check "486" pair uac_reject uas_reject
check "late offer" pair uac_late uas_late
check "early media" pair uac_early uas_early
check "PRACK and UPDATE" pair uac_prack uas_prack
check "abandoned call" pair uac_abandon uas_abandon
check "call over TCP" eval 'UAS_OPTIONS="-t t1" pair uac_quiet uas_answer -t t1'
check "a scenario can fail" not pair uac_reject uas_bye
check "the peer's media address is logged" test "$(relay_media uac_call)" = "10.77.2.2 6000"

# rtpphone both ways, checked by its own pattern and by tshark on the far side
capture_start callee phone0 "$WORK/callee.pcap"
ns_start callee "$WORK/sink.json" "$TOOLS/rtpphone" --bind 10.77.2.2:7000 --echo --check \
	--sink "$WORK/sink.al"
sink=$LAST_PID
wait_for 5 udp_bound callee 7000
ns_run caller "$TOOLS/rtpphone" --bind 10.77.1.2:7000 --to 10.77.2.2:7000 --ssrc 0xabcd0001 \
	--seq 65500 --ts 4294960000 --count 100 --ptime 5 --rtcp 200 --check >"$WORK/gen.json"
stop_pid "$sink"
capture_stop
check "100 packets arrive over the wrap of the sequence number" \
	field "$WORK/sink.json" has streams.0.unique=100 streams.0.lost=0 streams.0.bad_payload=0
check "and come back" field "$WORK/gen.json" has streams.0.unique=100 streams.0.bad_payload=0
check "from one source" field "$WORK/sink.json" has sources.0=10.77.1.2:7000
check "RTCP arrives" field "$WORK/sink.json" has 'rtcp_received>0'
check "16000 octets of payload" test "$(stat -c %s "$WORK/sink.al")" = 16000
check "the judge agrees with tshark" judge streams "$WORK/callee.pcap"
check "the judge counts the same" judge compare "$WORK/callee.pcap" "$WORK/sink.json" \
	--ssrc 0xabcd0001 --dst 10.77.2.2:7000
tap_done
