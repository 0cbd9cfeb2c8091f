#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Loss, jitter, duplicates and reordering on the caller's link: what tandem reports is
# what tshark finds in captures on both sides of it: where the packets enter and where they leave.
#
#   caller --- near [ impair ] far (capture) --- relay (tandem) --- (capture) callee

. "$(dirname "$0")/calls.sh"
IMPAIR="--ports 16384-17407 --rtp --direction ab --loss 4 --duplicate 3 --reorder 3
	--reorder-by 25 --delay 10 --jitter 12 --grace 20 --seed 42"
AUDIO_PORT=7000
relay_begin 60 impair
call_start uac_quiet uas_answer -d 10000
call_answered
capture_start callee phone0 "$WORK/callee.pcap" 'udp portrange 16384-17407'
callee_capture=$CAPTURE_PID
capture_start impair far "$WORK/far.pcap" 'udp dst portrange 16384-17407'
media_both 600 --ptime 10 --linger 600
check "the session is saved" session_save "$WORK/session.json"
call_ended
capture_stop
capture_stop "$callee_capture"
impair_stop
check "the link was bad" field "$WORK/impair.json" has \
	'ab.lost>10' 'ab.duplicated>8' 'ab.reordered>8' overflow=0
check "tandem and tshark agree: packets and loss exactly, jitter within 5 %" \
	judge compare "$WORK/far.pcap" "$WORK/session.json" --ssrc 0xa11ce001 --from a
check "and where the stream leaves the relay" judge compare "$WORK/callee.pcap" \
	"$WORK/session.json" --ssrc 0xa11ce001 --from a --dst "$B_MEDIA"
check "and on the callee's own stream" judge compare "$WORK/callee.pcap" \
	"$WORK/session.json" --ssrc 0xb0b00001 --from b --dst "$B_RELAY"
lost=$(field "$WORK/impair.json" get ab.lost)
duplicated=$(field "$WORK/impair.json" get ab.duplicated)
check "what the link did is what the callee finds ($lost lost, $duplicated duplicated)" \
	field "$WORK/b.json" has "streams.0.unique=$((600 - lost))" \
	"streams.0.duplicates=$duplicated" streams.0.bad_payload=0
check "the good direction is good" field "$WORK/a.json" has streams.0.unique=600 streams.0.lost=0
relay_ends
tap_done
