#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call whose media the DPDK worker carries; tests/netns/datapath.sh draws its links. The
# controller is killed and started again besides.
#
#   caller ---- nic_caller [ tandem-dpdk ] nic_callee ---- callee
#                     |  tandem  |

# shellcheck source=/dev/null
. "$(dirname "$0")/../netns/calls.sh"
# shellcheck disable=SC2034
DATAPATH=dpdk
# shellcheck disable=SC2034
AUDIO_PORT=7000
SIPP_TIMEOUT=40

doctor_reaches()
{
	ns_run relay "$TANDEM" doctor -c "$WORK/tandem.yaml" | grep -q "dpdk *usable *worker at"
}

# strange FROM SSRC
strange()
{
	ns_run caller "$TOOLS/rtpphone" --bind "$1" --to "$A_RELAY" --count 50 --ptime 2 \
		--ssrc "$2" --linger 100 >"$WORK/stranger.json"
	field "$WORK/stranger.json" has sent=50
}

if missing=$(datapath_missing); then
	tap_skip_all "$missing"
fi

relay_begin 90
call_start uac_quiet uas_answer -d 11000
call_answered
media_both_start 400 --rtcp 500
check "audio flows" wait_for 4 session_has 'flows.+.packets>60'
check "the flows are in the worker" field "$WORK/live.json" has \
	'flows.*.offload=dpdk' 'flows.+.fast_packets>60'
check "a stranger sends from another address" strange 10.77.1.9:7000 0xdead0001
check "a stranger sends from another port" strange 10.77.1.2:7002 0xdead0002
check "the strangers are counted" session_has 'flows.+.unknown_source=100'
check "the worker counts them too" eval \
	"timeout 5 '$TANDEM' stats --socket '$SOCK' --json | grep -q '\"unknown_source\": *100'"
check "the doctor reaches the worker besides" doctor_reaches
id=$(session_ids)
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check_not "the controller is gone" tandem session list
sleep 2 # dead air for the controller; the packets must not notice
check "tandem starts again" tandem_launch || tap_done
check "it took over the worker's flows" grep -q 'took over 4 flows' "$WORK/tandem.log"
check "it knows the call" session_has "id=$id" state=established 'flows.*.offload=dpdk'
media_both_wait
media_exact 400 "over the restart"
check "RTCP passes" field "$WORK/b.json" has 'rtcp_received>1'
check "no stranger is heard" test "$(field "$WORK/b.json" get 'streams.*.ssrc' | xargs)" = 0xa11ce001
check "counters went on" session_has 'flows.+.packets>=800' 'streams.*.lost=0'
check "the worker forwarded all but the first few" session_has 'flows.+.fast_packets>=790'
call_ended
relay_ends
check "the worker stops when told to" eval "kill -TERM $WORKER_PID; wait $WORKER_PID"
tap_note "$(grep 'ns each' "$WORK/worker.log")"
tap_done
