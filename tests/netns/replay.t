#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Captures are sent again through a forward, and have to come out as they went in, but for what the
# forward translates. And the call of a capture is set up again, with both parties at the caller's host.
#
#   caller 10.77.1.2:4000 ---- [ relay: tandem ] ---- callee 10.77.2.2:6000
#   tandem replay FILE --to                           tandem replay --listen --expect FILE

. "$(dirname "$0")/forwards.sh"

# listen OPTIONS...: receive at the callee and judge; the report goes to heard.json.
listen()
{
	ns_start callee "$WORK/heard.json" "$TANDEM" replay --json --listen 10.77.2.2:6000 --wait 2000 "$@"
	LISTENER_PID=$LAST_PID
	wait_for 5 eval 'ns_run callee ss -Hlnu "sport = 6000" | grep -q 6000'
}

# replay OPTIONS...: send as the caller; the report goes to sent.json.
replay()
{
	ns_run caller "$TANDEM" replay --json --from "$SOURCE" --to 10.77.1.1:16400 "$@" >"$WORK/sent.json"
}

heard()
{
	wait "$LISTENER_PID" || {
		cat "$WORK/heard.json"
		return 1
	}
}

# document OUT...: a forward for the payload types of the captures.
document()
{
	printf '{"from": "%s", "to": "10.77.1.1:16400", "payload_types": [{"pt": 0}, {"pt": 8}], "out": [%s]}\n' \
		"$SOURCE" "$1"
}

as_it_was()
{
	check "$DATAPATH: a forward" forward_set plain < <(document '{"to": "10.77.2.2:6000"}')
	check "$DATAPATH: the relay knows its neighbour" neighbours_known
	listen --expect "$WORK/jitter.pcap" || tap_bail "the listener"
	check "$DATAPATH: a capture of ten seconds is sent in two" replay "$WORK/jitter.pcap" --speed 5
	check "$DATAPATH: all of it" field "$WORK/sent.json" has sent=500 failed=0 sources=1
	check "$DATAPATH: every octet of it comes out, in order, once" heard
	check "$DATAPATH: with its own SSRC and numbers" field "$WORK/heard.json" has \
		'comparison.streams.0.came_as=0x00001234' 'comparison.streams.0.seq_offset=0' \
		'comparison.streams.0.ts_offset=0' 'comparison.streams.0.expected=500'
	listen --expect "$WORK/jitter.pcap"
	check "$DATAPATH: sent with loss" replay "$WORK/jitter.pcap" --speed 20 --loss 10 --seed 7
	check_not "$DATAPATH: it is not what was expected" heard
	check "$DATAPATH: by just what was lost" test \
		"$(field "$WORK/heard.json" get comparison.streams.0.missing)" = \
		"$(field "$WORK/sent.json" get impaired.lost)"
	check "$DATAPATH: the forward is removed" tandem forward remove plain
}

translated()
{
	check "$DATAPATH: a forward that translates" forward_set other < <(document \
		'{"to": "10.77.2.2:6000", "ssrc": ["0x00001234", "0x0000beef"], "seq_offset": 700, "ts_offset": 90000}')
	listen --expect "$WORK/jitter.pcap"
	check "$DATAPATH: as fast as can be, within reason" replay "$WORK/jitter.pcap" --speed 50
	check "$DATAPATH: the same comes out under other numbers" heard
	check "$DATAPATH: those of the forward" field "$WORK/heard.json" has \
		'comparison.streams.0.came_as=0x0000beef' 'comparison.streams.0.seq_offset=700' \
		'comparison.streams.0.ts_offset=90000'
	check "$DATAPATH: the forward is removed" tandem forward remove other
}

# replay_call OPTIONS...: the first call, both parties at the caller's host; the report goes to call.json.
replay_call()
{
	ns_run caller "$TANDEM" replay "$WORK/call.pcap" --json --call 1 --proxy 10.77.1.1:5060 --domain example.test \
		--caller 10.77.1.2:5070 --callee 10.77.1.9:5070 "$@" >"$WORK/call.json"
}

calls()
{
	check "$DATAPATH: a call of a capture is set up again, and each party hears the other" replay_call
	check "$DATAPATH: all of it, and no other stream" field "$WORK/call.json" has sent=290 failed=0 heard.packets=290 \
		comparison.strangers=0 'comparison.streams.*.missing=0'
	check "$DATAPATH: the relay has no call any more" wait_for 5 session_count_is 0
	check_not "$DATAPATH: nor a registration" grep -q replay-callee <(tandem registrations)
	check_not "$DATAPATH: with loss it is not what was said" replay_call --loss 20 --speed 2
	check_not "$DATAPATH: there is no second call" replay_call --call 2
	check_not "$DATAPATH: a proxy that is not there is an error" replay_call --proxy 10.77.1.1:5999
}

# Past the relay, so that many sources can send to one port.
clones()
{
	listen --expect "$WORK/two.pcap" --clone 20
	check "forty streams of two" ns_run caller "$TANDEM" replay "$WORK/two.pcap" --json --clone 20 \
		--speed 4 --from 10.77.1.2:20000 --to 10.77.2.2:6000
	check "each has come, with an SSRC of its own" heard
	check "and nothing else" field "$WORK/heard.json" has 'comparison.strangers=0' 'heard.packets=4000'
}

replays()
{
	forward_begin
	for kind in jitter two call; do
		"$PYTHON" "$NETNS/make_captures.py" make "$WORK/$kind.pcap" "$kind" || tap_bail "a capture"
	done
	as_it_was
	translated
	calls
}

test_begin 400 ss
need_tandem
each_datapath replays
topology_down
topology_up forward || tap_bail "topology"
clones
tap_done
