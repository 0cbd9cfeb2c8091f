#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A hundred calls, twenty a second, each with audio both ways.
#
#   caller (sipp plays G.711) ---- relay (tandem) ---- callee (sipp echoes it)

. "$(dirname "$0")/calls.sh"
relay_begin 90
audio_pcap 60
SIPP_TIMEOUT=40
capture_start caller phone0 "$WORK/caller.pcap" 'udp dst port 6000'
CALLS=100 UAS_OPTIONS=-rtp_echo call_start uac_call uas_answer -r 20 -l 100 -d 4000

peak=0
while alive "$UAC_PID"; do
	now=$(tandem session list | field - count)
	[ "${now:-0}" -gt "$peak" ] && peak=$now
	sleep 0.2
done
call_ended
capture_stop
check "dozens of sessions at once ($peak)" test "$peak" -ge 40
judge streams "$WORK/caller.pcap" >"$WORK/streams.json" 2>"$WORK/judge.err"
count=$(field "$WORK/streams.json" get 'streams.*.src' | sort -u | wc -l)
check "a hundred callers hear a stream of their own ($count)" test "$count" -eq 100
check "none of them misses a packet" field "$WORK/streams.json" has \
	'streams.*.unique=60' 'streams.*.lost=0' 'streams.*.duplicates=0'
relay_ends
tap_done
