#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The controller is killed in the middle of a call that is protected on both legs, with other keys on either, and
# started again. The worker has keys, rollover counters and replay windows, so the packets go on; the
# next controller takes all of it over and ends the call.
#
#   alice (baresip, SDES) ---- tandem-dpdk; tandem: killed, restarted ---- bob (baresip, DTLS)

# shellcheck source=/dev/null
. "$(dirname "$0")/../netns/calls.sh"
# shellcheck disable=SC2034
DATAPATH=dpdk
if missing=$(datapath_missing); then
	tap_skip_all "$missing"
fi
test_begin 120 tcpdump
need_tandem
need_tool g711cmp
command -v baresip >/dev/null || tap_skip_all "needs baresip"
topology_up || tap_bail "topology"

offloaded()
{
	session_has "flows.*.offload=dpdk" 'flows.+.packets>'"$1"
}

# ended REASON: the worker has ended packets for it.
ended()
{
	tandem stats >"$WORK/stats.json" && field "$WORK/stats.json" has 'fast.forwarded_rtp>0' &&
		grep -q "\"$1\"" "$WORK/stats.json"
}

# shellcheck disable=SC2034
MEDIA_EXTRA='security: [{peer: 10.77.1.0/24, policy: sdes_require}, {peer: 10.77.2.0/24, policy: dtls}]'
check "tandem starts" start_tandem || tap_done
# shellcheck disable=SC2034
PHONE_MEDIAENC_alice=srtp-mand PHONE_MEDIAENC_bob=dtls_srtp
alice='' bob='' # phones_call sets them
phones_call "SDES to DTLS"
check "audio passes through the worker" wait_for 15 offloaded 100
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check_not "the controller is gone" tandem session list
sleep 2 # dead air for the controller; the packets must not notice
check "tandem starts again" tandem_launch || tap_done
check "the worker's flows were taken over" grep -q 'took over [1-9][0-9]* flows' "$WORK/tandem.log"
check "they have counted on, and are the worker's still" wait_for 5 offloaded 250
check "audio goes on after the change of controllers" wait_for 5 offloaded 350
check "the worker counts" ended forwarded_rtp
check_not "no packet failed to be authentic" ended srtp_auth
check_not "no packet was taken for a replay" ended srtp_replay
phone alice hangup
check "bob hears that it is over" phone_event bob 5 CALL_CLOSED
check "no session is left" wait_for 5 session_count_is 0
stop_pid "$alice"
stop_pid "$bob"
check "bob heard alice, sample for sample" \
	"$TOOLS/g711cmp" --law a --min 24000 "$WORK/alice.wav" "$(heard bob)"
check "alice heard bob, sample for sample" \
	"$TOOLS/g711cmp" --law a --min 24000 "$WORK/bob.wav" "$(heard alice)"
check_not "no key is in a log" grep -qi 'inline:' "$WORK"/tandem.log.* "$WORK/worker.log"
relay_ends
tap_done
