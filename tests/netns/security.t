#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The relay ends the security of media on either side, as media.security has it: phones that would
# not understand each other talk, and what each hears is, sample for sample, what the other played.
#
#   alice (baresip) -- plain, SDES or DTLS -- relay (tandem) -- plain, SDES or DTLS -- bob (baresip)

. "$(dirname "$0")/calls.sh"

# secure_call WHAT POLICY_A POLICY_B ENC_A ENC_B KIND_A KIND_B [NAT_A [NAT_B]]: policies as in the
# configuration, ENC as baresip's mediaenc, KIND as the session shows it.
secure_call()
{
	local what="$DATAPATH: $1"
	MEDIA_EXTRA="security: [{peer: 10.77.1.0/24, policy: $2}, {peer: 10.77.2.0/24, policy: $3}]"
	PHONE_MEDIAENC_alice=$4 PHONE_MEDIAENC_bob=$5 PHONE_MEDIANAT_alice=${8:-} PHONE_MEDIANAT_bob=${9:-}
	check "tandem starts ($what)" start_tandem || return
	secure_talk "$what" "$6" "$7"
	check "tandem stops ($what)" relay_stops
	check_not "no key is in the log ($what)" grep -qi 'inline:' "$WORK"/tandem.log.*
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events "$WORK"/tandem.db* "$BPF_DIR"
}

secure_talk()
{
	local alice bob
	phones_call "$1"
	check "audio passes both ways ($1)" wait_for 15 session_has 'verdict~two.way' \
		'flows.+.packets>300' "media.0.a.security.kind=$2" "media.0.b.security.kind=$3"
	[ "$DATAPATH" != xdp ] ||
		check "more than 99 % of the packets take the fast path" wait_for 5 fast_share 990
	if [ "${PHONE_MUX:-}" = no ]; then
		check "alice's phone reads bob's RTCP" phone_event alice 10 CALL_RTCP
		check "bob's phone reads alice's RTCP" phone_event bob 10 CALL_RTCP
	fi
	check_not "the session does not show keys" grep -Eq '"(key|salt|pwd)"' "$WORK/live.json"
	phone alice hangup
	check "bob hears that it is over" phone_event bob 5 CALL_CLOSED
	check "no session is left" wait_for 5 session_count_is 0
	stop_pid "$alice"
	stop_pid "$bob"
	check "bob heard alice, sample for sample ($1)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/alice.wav" "$(heard bob)"
	check "alice heard bob, sample for sample ($1)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/bob.wav" "$(heard alice)"
}

# secure_refused WHAT POLICY_A POLICY_B ENC_A: nothing is agreed on, and nobody talks in the clear.
secure_refused()
{
	local what="$DATAPATH: $1" alice bob
	MEDIA_EXTRA="security: [{peer: 10.77.1.0/24, policy: $2}, {peer: 10.77.2.0/24, policy: $3}]"
	PHONE_MEDIAENC_alice=$4 PHONE_MEDIAENC_bob='' PHONE_MEDIANAT_alice='' PHONE_MEDIANAT_bob=''
	check "tandem starts ($what)" start_tandem || return
	check "bob's phone starts" eval "PHONE_ANSWER=auto phone_start callee bob"
	bob=$PHONE_PID
	check "alice's phone starts" phone_start caller alice
	alice=$PHONE_PID
	check "bob is registered" phone_registered bob 5
	phone alice dial sip:bob@example.test
	check "the call is refused ($what)" phone_event alice 5 'CALL_CLOSED.*488'
	check_not "it was never up" phone_event alice 0 CALL_ESTABLISHED
	check "no session is left" wait_for 5 session_count_is 0
	stop_pid "$alice"
	stop_pid "$bob"
	check "tandem stops ($what)" relay_stops
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events "$WORK"/tandem.db* "$BPF_DIR"
}

# The controller is killed while they talk, and comes back: with XDP in front, the secured call does
# not notice.
secure_survives()
{
	local what="$DATAPATH: SDES to plain, controller killed" alice bob before dropped
	MEDIA_EXTRA="security: [{peer: 10.77.1.0/24, policy: auto}, {peer: 10.77.2.0/24, policy: plain}]"
	PHONE_MEDIAENC_alice=srtp-mand PHONE_MEDIAENC_bob='' PHONE_MEDIANAT_alice='' PHONE_MEDIANAT_bob=''
	check "tandem starts ($what)" start_tandem || return
	phones_call "$what"
	check "audio passes both ways ($what)" wait_for 15 session_has 'verdict~two.way' 'flows.+.packets>100'
	kill -KILL "$TANDEM_PID"
	wait "$TANDEM_PID" 2>/dev/null
	before=$(field "$WORK/live.json" get 'flows.+.packets')
	dropped=$(field "$WORK/live.json" get 'flows.+.dropped')
	sleep 4
	check "tandem starts again ($what)" tandem_launch
	check "packets went on without it" session_has state=established \
		"flows.+.packets>$((before + 350))" "flows.+.dropped=$dropped" "flows.*.offload=xdp"
	check "and do with it" wait_for 8 session_has "flows.+.packets>$((before + 600))" "flows.+.dropped=$dropped"
	phone alice hangup
	check "bob hears that it is over" phone_event bob 5 CALL_CLOSED
	stop_pid "$alice"
	stop_pid "$bob"
	check "tandem stops ($what)" relay_stops
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events "$WORK"/tandem.db* "$BPF_DIR"
}

secure_calls()
{
	topology_up || tap_bail "topology"
	secure_refused "a caller without SRTP" sdes_require auto ''
	secure_refused "a callee without SRTP" auto sdes_require ''
	secure_refused "a caller with nothing but SRTP" plain plain srtp-mand
	secure_call "plain to SDES" plain sdes_require '' srtp-mand none sdes
	secure_call "SDES to plain" auto plain srtp-mand '' sdes none
	[ "$DATAPATH" != xdp ] || secure_survives
	secure_call "perhaps SDES" auto sdes_prefer '' srtp none sdes
	secure_call "SDES to SDES" sdes_require sdes_require srtp-mand srtp-mand sdes sdes
	secure_call "plain to DTLS" plain dtls '' dtls_srtp none dtls
	secure_call "DTLS with ICE to plain" auto plain dtls_srtp '' dtls none ice
	# By TCP, as candidates for two components make the INVITE more than net_af_packet can carry.
	PHONE_MUX=no PHONE_TRANSPORT=tcp secure_call "DTLS with ICE, and RTCP apart, to SDES" auto sdes_require \
		dtls_srtp srtp-mand dtls sdes ice
}

test_begin 900 tcpdump
need_tandem
need_tool g711cmp
command -v baresip >/dev/null || tap_skip_all "needs baresip"
DATAPATHS=${DATAPATHS:-uring xdp} each_datapath secure_calls
tap_done
