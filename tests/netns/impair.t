#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The impairment tool alone, without tandem: what it says it did is what arrives.
#
#   caller (rtpphone) --- near [ impair ] far --- relay (rtpphone)

. "$(dirname "$0")/lib.sh"
test_begin 60 tcpdump tshark clang-16
need_tool impair rtpphone
topology_up impair || tap_bail "topology"

# pass NAME OPTIONS...: 400 packets through the bad network, reports in NAME*.json
pass()
{
	local name=$1
	shift
	impair_start "$WORK/$name.impair.json" --ports 7000-7000 --rtp "$@" || return 1
	ns_start relay "$WORK/$name.json" "$TOOLS/rtpphone" --bind 10.77.1.1:7000 --check
	local sink=$LAST_PID
	wait_for 5 udp_bound relay 7000
	capture_start impair far "$WORK/$name.pcap" 'udp and not icmp'
	ns_run caller "$TOOLS/rtpphone" --bind 10.77.1.2:7000 --to 10.77.1.1:7000 --count 400 \
		--ptime 5 --clock 8000 --linger 200 >"$WORK/$name.gen.json"
	capture_stop
	stop_pid "$sink"
	impair_stop
}

of()
{
	field "$WORK/$1" get "$2"
}

pass clean
check "a clean pass changes nothing" field "$WORK/clean.json" has \
	streams.0.packets=400 streams.0.lost=0 streams.0.reordered=0 streams.0.bad_payload=0

bad=(--loss 5 --duplicate 4 --reorder 3 --reorder-by 18 --delay 20 --jitter 8 --grace 10)
pass bad "${bad[@]}" --seed 7
lost=$(of bad.impair.json ab.lost)
dup=$(of bad.impair.json ab.duplicated)
check "packets were lost and duplicated and reordered" field "$WORK/bad.impair.json" has \
	'ab.lost>5' 'ab.duplicated>5' 'ab.reordered>3' overflow=0 queued=0
check "what was lost is missing ($lost)" field "$WORK/bad.json" has \
	"streams.0.unique=$((400 - lost))"
check "what was duplicated arrives twice ($dup)" field "$WORK/bad.json" has \
	"streams.0.packets=$((400 - lost + dup))" "streams.0.duplicates=$dup" streams.0.bad_payload=0
check "reordered packets arrive late" field "$WORK/bad.json" has 'streams.0.reordered>3'
check "frames leave on time (2 ms)" field "$WORK/bad.impair.json" has 'late_mean_us<2000'
check "judge and sink agree on loss and jitter" judge compare "$WORK/bad.pcap" "$WORK/bad.json"

pass again "${bad[@]}" --seed 7
check "the same seed does the same" field "$WORK/again.impair.json" has \
	"ab.lost=$lost" "ab.duplicated=$dup"
pass other "${bad[@]}" --seed 8
check "another seed does something else" not field "$WORK/other.impair.json" has \
	"ab.lost=$lost" "ab.duplicated=$dup"
tap_done
