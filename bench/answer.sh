#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# From the answer to the first packet in the fast path: real calls by SIP through `tandem run`,
# captured on both sides of it.
#
#   caller (sipp, plays G.711 after its ACK) ---- relay (tandem run) ---- callee (sipp)
#        200 OK arrives: 0                                  first RTP packet arrives: t
#        first RTP packet leaves: s
#
# t is what is asked for; t - s is the relay's share of it. Steps go to standard error as TAP;
# one line and, with --json FILE, a JSON object come out at the end. Needs `make test-tools`.
JSON=
[ "${1:-}" != --json ] || JSON=$(realpath -m "$2")
[ -z "${JSON:-}" ] || export TANDEM_ANSWER_JSON=$JSON

cd "$(dirname "$0")/../tests/netns" || exit 1
[ -n "${TANDEM_ANSWER_BOUND:-}" ] || TANDEM_ANSWER_BOUND=1 exec timeout -k 10 60 bash "$PWD/../../bench/answer.sh"
exec 3>&1 1>&2
# what the scripts of tests/netns/ do for themselves, this has done above
export TANDEM_TEST_BOUND=1
. ./calls.sh
COUNT=5

relay_begin 60
audio_pcap 8
capture_start callee phone0 "$WORK/callee.pcap"
callee_capture=$CAPTURE_PID
capture_start caller phone0 "$WORK/caller.pcap"
caller_capture=$CAPTURE_PID
CALLS=$COUNT call_start uac_call uas_answer -l 1 -d 600
check "the calls end well" pid_wait "$UAC_PID"
check "on both sides" pid_wait "$UAS_PID"
tandem stats >"$WORK/stats.json"
capture_stop "$callee_capture"
capture_stop "$caller_capture"
[ "$TAP_FAILED" -eq 0 ] || tap_done

# times FILE FILTER: when packets that pass the filter were seen.
times()
{
	tshark -r "$WORK/$1.pcap" -d udp.port==16384-17407,rtp -n -Y "$2" -T fields -e frame.time_epoch
}
times caller 'sip.Status-Code == 200 && sip.CSeq.method == "INVITE"' >"$WORK/answers"
times caller 'rtp && ip.src == 10.77.1.2' >"$WORK/sent"
times callee 'rtp && ip.dst == 10.77.2.2' >"$WORK/heard"

"$PYTHON" - "$WORK" "${TANDEM_ANSWER_JSON:-}" >&3 <<'PY' || tap_fail "the captures make sense"
import bisect
import json
import statistics
import sys

work, out = sys.argv[1:3]


def times(name):
    with open("%s/%s" % (work, name), encoding="ascii") as f:
        return sorted(map(float, f))


answers, sent, heard = times("answers"), times("sent"), times("heard")
stats = json.load(open(work + "/stats.json", encoding="utf-8"))
first_sent, first_heard = [], []
for i, t in enumerate(answers):
    end = answers[i + 1] if i + 1 < len(answers) else float("inf")
    for where, found in ((sent, first_sent), (heard, first_heard)):
        k = bisect.bisect_left(where, t)
        if k == len(where) or where[k] >= end:
            sys.exit("no RTP after answer %d" % i)
        found.append((where[k] - t) * 1e3)
if not answers:
    sys.exit("no answer was seen")
doc = {
    "datapath": stats["datapath"],
    "calls": len(answers),
    "answer_to_first_packet_ms": statistics.median(first_heard),
    "answer_to_first_packet_max_ms": max(first_heard),
    "of_which_relay_ms": statistics.median([h - s for h, s in zip(first_heard, first_sent)]),
    "packets_in_fast_path": stats["fast"].get("forwarded_rtp", 0),
    "packets_not_offloaded": stats["slow"].get("forwarded_rtp", 0),
    "packets_sent": len(sent),
    "packets_heard": len(heard),
}
print("Answer to first packet: median %(answer_to_first_packet_ms).2f ms, highest "
      "%(answer_to_first_packet_max_ms).2f ms, of which the relay %(of_which_relay_ms).3f ms; "
      "%(calls)d calls, %(packets_in_fast_path)d packets in %(datapath)s, "
      "%(packets_not_offloaded)d not offloaded" % doc)
if out:
    with open(out, "w", encoding="utf-8") as f:
        json.dump(doc, f, indent=1)
PY
relay_ends
tap_done
