#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call is captured as the relay gets and sends it, while it stays in the fast path: every packet is
# in the file, which tshark reads and judges. Through each datapath; one that makes no copies leaves
# the call to io_uring meanwhile, and says so.
#
#   caller 10.77.1.2:7000 ---- [ relay: tandem ] ---- callee 10.77.2.2:7000
#                                   |
#                          tandem capture > pcapng

. "$(dirname "$0")/calls.sh"

COUNT=100
AUDIO_PORT=7000

# record NAME OPTIONS...: tandem capture to NAME.pcapng. Sets LAST_PID.
record()
{
	local name=$1
	shift
	"$TANDEM" capture --socket "$SOCK" -w "$WORK/$name.pcapng" "$@" >"$WORK/$name.log" 2>&1 &
	LAST_PID=$!
	wait_for 5 test -S "$SOCK" && sleep 0.2
}

# record_ends PID NAME: it is asked to end, and has lost nothing.
record_ends()
{
	kill -INT "$1" && wait "$1" && grep -q ' packets captured, 0 lost' "$WORK/$2.log" && return
	cat "$WORK/$2.log"
	return 1
}

# packets NAME FILTER: how many it has, as tshark sees them.
packets()
{
	tshark -r "$WORK/$1.pcapng" -d udp.port==0-65535,rtp -Y "$2" 2>/dev/null | wc -l
}

# are NAME NUMBER FILTER
are()
{
	local n
	n=$(packets "$1" "$3")
	[ "$n" -eq "$2" ] || { echo "$n packets are $3, wanted $2"; return 1; }
}

# streams NAME: "SSRC DESTINATION PACKETS LOST" of each stream in it
streams()
{
	tshark -r "$WORK/$1.pcapng" -d udp.port==0-65535,rtp -q -z rtp,streams 2>/dev/null |
		awk '/0x/ { for (i = 1; i <= NF; i++) if ($i ~ /^0x/) print $i, $(i - 2), $(i + 2), $(i + 3) }' |
		sort
}

all_streams()
{
	streams "$1" | grep -v 0x07070707 >"$WORK/streams"
	[ "$(wc -l <"$WORK/streams")" -eq "$2" ] && ! awk -v n="$COUNT" '$3 != n || $4 != 0' "$WORK/streams" |
		grep -q . && return
	cat "$WORK/streams"
	return 1
}

offload_during()
{
	if [ "$DATAPATH" = dpdk ]; then
		session_has 'flows.0.offload=uring' 'flows.0.reason~captured'
	else
		session_has "flows.*.offload=$DATAPATH"
	fi
}

captured()
{
	local all headers out call
	topology_up || tap_bail "topology"
	check "$DATAPATH: tandem starts" start_tandem || tap_done
	record all --all
	all=$LAST_PID
	call_start uac_quiet uas_answer -d 6000
	call_answered
	check "$DATAPATH: the session is there" wait_for 5 session_has state=established
	call=$(field "$WORK/live.json" get call_id)
	record headers --call "$call" --direction in --headers
	headers=$LAST_PID
	record out --address 10.77.2.2 --direction out --ssrc 0xa11ce001
	out=$LAST_PID
	check "$DATAPATH: nobody else's call is to be had" eval \
		'! timeout 5 "$TANDEM" capture --socket "$SOCK" --call nobody -w "$WORK/none.pcapng" --seconds 1 || ! [ -s "$WORK/none.pcapng" ] || are none 0 rtp'
	media_both "$COUNT"
	media_exact "$COUNT" "while it is captured ($DATAPATH)"
	check "$DATAPATH: the call stays where it should" offload_during
	ns_run caller "$PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a = sys.argv[1].split(":")
[s.sendto(bytes([128, 8, 0, i] + [7] * 8 + [1] * 160), (a[0], int(a[1]))) for i in range(5)]' "$A_RELAY"
	check "$DATAPATH: the capture of what leaves ends" record_ends "$out" out
	check "$DATAPATH: the capture of headers ends" record_ends "$headers" headers
	call_ended
	check "$DATAPATH: the capture of all ends" record_ends "$all" all

	check "$DATAPATH: four streams, each in full" all_streams all 4
	check "$DATAPATH: all that came has gone on" are all $((2 * COUNT)) \
		'rtp && frame.comment contains "verdict=forward" && rtp.ssrc != 0x07070707'
	check "$DATAPATH: it says whose it is" are all "$COUNT" \
		"frame.comment contains \"call-id=$call leg=a media=0 rtp ssrc=0xa11ce001 in verdict=forward\""
	check "$DATAPATH: and what of it leaves" are all "$COUNT" \
		'frame.comment contains " leg=a media=0 rtp ssrc=0xa11ce001 out" && ip.dst == 10.77.2.2'
	check "$DATAPATH: a stranger's is there, with the reason" are all 5 \
		'frame.comment contains "in verdict=drop reason=unknown_source"'
	check "$DATAPATH: lengths and checksums are right" are all 0 \
		'_ws.malformed || udp.length.bad || ip.checksum.status == 0'
	check "$DATAPATH: SIP is in the same file, on both sides" eval \
		'are all 2 "sip.Method == INVITE && frame.comment contains \"sip transport=udp\"" && are all 2 "sip.Method == BYE"'
	check "$DATAPATH: so it can be inspected as a call" eval \
		'"$TANDEM" inspect "$WORK/all.pcapng" --json | field - get "calls.*.call_id" | grep -qF "$call"'
	check "$DATAPATH: the one has what leaves for the callee" all_streams out 1
	check "$DATAPATH: the other what comes, without what is said" eval \
		'are headers $((2 * COUNT)) "rtp && rtp.ssrc != 0x07070707" && are headers 0 "frame.cap_len > 60"'
	relay_ends
	rm -f "$WORK"/tandem.db* "$WORK"/*.pcapng
}

test_begin 120 sipp tshark
need_tandem
need_tool rtpphone
each_datapath captured
tap_done
