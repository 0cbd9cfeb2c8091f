#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tandem inspect beside tshark: both read the same captures and have to come to the same numbers.

. "$(dirname "$0")/lib.sh"

TSHARK_RTP=(-o rtp.heuristic_rtp:TRUE --enable-heuristic rtp_udp -q -z 'rtp,streams')

inspect_py()
{
	"$PYTHON" "$NETNS/make_captures.py" "$@"
}

# agrees FILE: on streams, packets, loss, deltas and jitter.
agrees()
{
	tshark -r "$1" "${TSHARK_RTP[@]}" >"$WORK/tshark.txt" 2>"$WORK/tshark.log" || return 1
	"$TANDEM" inspect --json "$1" >"$WORK/inspect.json" || return 1
	inspect_py compare "$WORK/tshark.txt" "$WORK/inspect.json"
}

own_captures()
{
	local kind
	for kind in jitter loss wrap opus two; do
		inspect_py make "$WORK/$kind.pcap" "$kind" || tap_bail "a capture"
		check "$kind: the numbers are tshark's" agrees "$WORK/$kind.pcap"
	done
	"$TANDEM" inspect --json "$WORK/opus.pcap" >"$WORK/opus.json"
	check "the codec is known from the call's SDP" field "$WORK/opus.json" has \
		'streams.0.codec=opus' 'streams.0.clock_hz=48000' 'streams.0.announced=true' 'calls.0.status=200'
	check "pcapng and raw IP as well" other_forms
}

# The same packets as pcapng, and as raw IP.
other_forms()
{
	editcap -F pcapng "$WORK/jitter.pcap" "$WORK/ng.pcapng" && agrees "$WORK/ng.pcapng" &&
		editcap -F pcap -C 14 -T rawip "$WORK/jitter.pcap" "$WORK/raw.pcap" && agrees "$WORK/raw.pcap"
}

files()
{
	local n
	check "rtpdump and pictures are written" "$TANDEM" inspect "$WORK/two.pcap" --rtpdump "$WORK/out" --svg "$WORK/out"
	n=$(find "$WORK/out" -name 'stream-*.svg' | wc -l)
	check "one picture for each stream" test "$n" -eq 2
	check "which are XML" "$PYTHON" -c 'import sys, xml.dom.minidom as m
for name in sys.argv[1:]:
    m.parse(name)' "$WORK"/out/stream-*.svg
	"$TANDEM" inspect --json "$WORK/out/stream-1-00001234.rtp" >"$WORK/again.json"
	check "what was written is read again" field "$WORK/again.json" has 'streams.0.packets=100' 'streams.0.lost=0' \
		'streams.0.from=10.0.0.1:4000' 'streams.0.to=10.0.0.2:6000' 'streams.0.ssrc=0x00001234'
}

# damaged OCTETS WORDS: cut to so many octets the file is an error with these words.
damaged()
{
	head -c "$1" "$WORK/jitter.pcap" >"$WORK/cut.pcap"
	"$TANDEM" inspect "$WORK/cut.pcap" >"$WORK/cut.out" 2>"$WORK/cut.err"
	[ $? -eq 1 ] && grep -q "$2" "$WORK/cut.err"
}

errors()
{
	check "a file that is cut off names the packet" damaged 3000 'cut.pcap: packet 13: '
	check "and what came before is told" grep -q 'PCMU (0) *12 ' "$WORK/cut.out"
	check "a file that is no capture is refused" damaged 3 'cut.pcap: '
	check_not "a file that is not there too" "$TANDEM" inspect "$WORK/nothing.pcap"
}

test_begin 120 tshark editcap
need_tandem
own_captures
[ ! -f /usr/share/sip-tester/g711a.pcap ] ||
	check "sipp's G.711: the numbers are tshark's" agrees /usr/share/sip-tester/g711a.pcap
files
errors
tap_done
