#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: a phone that speaks SRTP, with keys in SDP, calls one that does not, through
# `tandem run` with the module as datapath. In the middle of the call the controller is killed and
# started again, and then the module is taken away; the sound goes on as it was played.
#
#   alice (baresip, SDES) ---- relay (tandem, and its module) ---- bob (baresip, plain)

. "$(dirname "$0")/../netns/lib.sh"

DATAPATH=kmod
SHARES=0 # how often the module's share was looked at

# received NS: packets that a phone's device has got so far.
received()
{
	ns_run "$1" awk '$1 == "phone0:" {print $3}' /proc/net/dev
}

received_more()
{
	[ "$(received "$1")" -gt "$2" ]
}

# goes_on WHAT: two more seconds of sound each way.
goes_on()
{
	local to_alice to_bob
	to_alice=$(($(received caller) + 100)) to_bob=$(($(received callee) + 100))
	check "alice's phone gets packets $1" wait_for 8 received_more caller "$to_alice"
	check "bob's phone gets packets $1" wait_for 8 received_more callee "$to_bob"
}

# forwarded FILE COLUMN: RTP packets; what is 0 is not in the file.
forwarded()
{
	field "$1" get "$2.forwarded_rtp" 2>/dev/null || echo 0
}

# module_share: of the RTP packets that the relay has forwarded since it began, more than 99 % by
# the module; what was authenticated was authentic, and new.
module_share()
{
	local fast slow stats=$WORK/stats.$((++SHARES))
	tandem stats >"$stats" || return 1
	fast=$(forwarded "$stats" fast) slow=$(forwarded "$stats" slow)
	tap_note "by the module $fast, by io_uring $slow"
	[ "$fast" -gt 100 ] && [ $((slow * 99)) -lt "$fast" ] && ! grep -Eq '"srtp_(auth|replay|no_room)"' "$stats"
}

test_begin 300
need_tool g711cmp
MEDIA_EXTRA="security: [{peer: 10.77.1.0/24, policy: sdes_require}, {peer: 10.77.2.0/24, policy: plain}]"
PHONE_REGINT=600 PHONE_MEDIAENC_alice=srtp-mand PHONE_MEDIAENC_bob=''
topology_up || tap_bail "topology"
check "tandem starts" start_tandem || tap_done
check "bob's phone starts" eval "PHONE_ANSWER=auto phone_start callee bob" || tap_done
check "alice's phone starts" phone_start caller alice || tap_done
check "bob is registered" phone_registered bob 5
check "alice is registered" phone_registered alice 5
capture_start callee phone0 "$WORK/bob.pcap" || tap_bail "capture"
phone alice dial sip:bob@example.test
check "the call is established" phone_event alice 5 CALL_ESTABLISHED || tap_done
check "audio passes both ways, SRTP on alice's side alone" wait_for 15 session_has 'verdict~two.way' \
	'flows.+.packets>200' media.0.a.security.kind=sdes media.0.b.security.kind=none
check "every flow is the module's" field "$WORK/live.json" has 'flows.*.offload=kmod'
check "more than 99 % of the packets went through it" module_share

kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
goes_on "without a controller"
check "tandem starts again" tandem_launch || tap_done
check "it knows the call, and how it is secured" session_has state=established \
	media.0.a.security.kind=sdes media.0.b.security.kind=none 'flows.*.offload=kmod' 'flows.+.packets>400'
check "still more than 99 %, those without a controller among them" module_share

check "the module is taken away under the call" /bin/busybox rmmod tandem
goes_on "without the module"
phone alice hangup
check "bob hears that it is over" phone_event bob 5 CALL_CLOSED
check "no session is left" wait_for 5 session_count_is 0
check_not "no key is in the log" grep -qi 'inline:' "$WORK"/tandem.log.*
capture_stop
for side in dst src; do
	"$PYTHON" "$TESTS/kmod/sound.py" take "$WORK/bob.pcap" "$side" 10.77.2.2 >"$WORK/bob_$side.al"
done
# Not what bob's phone made of it: it forgets what comes ahead of the ACK, which takes its time here.
check "bob was sent what alice played, sample for sample" \
	"$TOOLS/g711cmp" --law a --min 16000 "$WORK/alice.wav" "$WORK/bob_dst.al"
check "alice heard what bob sent" \
	"$PYTHON" "$TESTS/kmod/sound.py" heard "$WORK/bob_src.al" "$(heard alice)" 300
check_not "nothing that she could not decipher" grep -q 'failed to decrypt' "$WORK/alice.log"
tap_done
