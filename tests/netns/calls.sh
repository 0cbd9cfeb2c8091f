# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the end-to-end scripts share beyond lib.sh: a relay that runs, a call
# through it, and media in that call. Sourced by them in place of lib.sh.
#
#   caller  uac (sipp 5060) -- INVITE sip:bob@example.test --> tandem 10.77.1.1
#           rtpphone 7000                                        |
#   callee  uas (sipp 5060) <-- registered contact of bob -- tandem 10.77.2.1
#           rtpphone 7000

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A_SIP=10.77.1.1:5060
B_SIP=10.77.2.1:5060
A_MEDIA=10.77.1.2:7000
B_MEDIA=10.77.2.2:7000

# relay_begin SECONDS [TOPOLOGY WORDS...]: everything up to a running tandem.
relay_begin()
{
	local limit=$1
	shift
	test_begin "$limit" sipp tcpdump tshark clang-16
	need_tandem
	need_tool rtpphone
	topology_up "$@" || tap_bail "topology"
	if [[ " $* " == *" impair "* ]]; then
		need_tool impair
		impair_start "$WORK/impair.json" $IMPAIR || tap_bail "impair"
	fi
	check "tandem starts" start_tandem || tap_done
}

# relay_ends: no session is left, and tandem goes away when told to.
relay_ends()
{
	check "no session is left" wait_for 5 session_count_is 0
	check "tandem stops when told to" relay_stops
}

relay_stops()
{
	local i
	kill -TERM "$TANDEM_PID" || return 1
	for ((i = 0; i < 100; i++)); do
		alive "$TANDEM_PID" || break
		sleep 0.05
	done
	wait "$TANDEM_PID"
}

# call_start UAC UAS [UAC OPTIONS...]: bob registers and is called. Sets UAC_PID
# and UAS_PID. UAS_OPTIONS for the called side; AUDIO_PORT says who does the media:
# 6000 sipp itself, 7000 rtpphone.
call_start()
{
	local uac=$1 uas=$2
	shift 2
	check "bob registers" register callee bob 5060 "$B_SIP" ${REG_OPTIONS:-} || tap_done
	sipp_start callee uas "$uas" "$B_SIP" -p 5060 -m "${CALLS:-1}" ${UAS_OPTIONS:-}
	UAS_PID=$LAST_PID
	wait_for 5 phone_listens callee || tap_bail "the called sipp listens"
	sipp_start caller uac "$uac" "$A_SIP" -p 5060 -s bob -m "${CALLS:-1}" "$@"
	UAC_PID=$LAST_PID
}

phone_listens()
{
	udp_bound "$1" 5060 || tcp_bound "$1" 5060
}

# call_answered: both sides know where the relay takes their media.
call_answered()
{
	check "the call is answered" wait_for 8 media_known || tap_done
	A_RELAY=$(media_target uac)
	B_RELAY=$(media_target uas)
}

media_known()
{
	relay_media uac && relay_media uas
}

# media_target NAME: the relay's address for that phone as ADDR:PORT.
media_target()
{
	local a p
	read -r a p < <(relay_media "$1")
	case $a in
	*:*) echo "[$a]:$p" ;;
	*) echo "$a:$p" ;;
	esac
}

# call_ended: both sipps came to the end of their scenarios.
call_ended()
{
	check "the caller's scenario ends well" pid_wait "$UAC_PID"
	check "the callee's scenario ends well" pid_wait "$UAS_PID"
}

# media_start NS NAME BIND TO OPTIONS...: an rtpphone, report in NAME.json.
media_start()
{
	local ns=$1 name=$2 bind=$3 to=$4
	shift 4
	ns_start "$ns" "$WORK/$name.json" "$TOOLS/rtpphone" --bind "$bind" \
		${to:+--to "$to"} --check "$@"
	wait_for 5 udp_bound "$ns" "${bind##*:}"
}

# media_both COUNT [OPTIONS...]: both talk COUNT packets at once; a.json, b.json.
# They start to talk when the other surely listens.
media_both()
{
	media_both_start "$@"
	media_both_wait
}

media_both_start()
{
	local n=$1
	shift
	media_start callee b "$B_MEDIA" "$B_RELAY" --count "$n" --ssrc 0xb0b00001 \
		--start 400 "$@"
	B_PID=$LAST_PID
	media_start caller a "$A_MEDIA" "$A_RELAY" --count "$n" --ssrc 0xa11ce001 \
		--start 300 --linger 500 "$@"
	A_PID=$LAST_PID
}

media_both_wait()
{
	wait "$A_PID"
	wait "$B_PID"
}

# media_exact COUNT [DESCRIPTION]: what media_both sent has arrived, all and unchanged.
media_exact()
{
	check "the callee hears everything${2:+ $2}" field "$WORK/b.json" has \
		streams.0.ssrc=0xa11ce001 "streams.0.unique=$1" streams.0.lost=0 \
		streams.0.duplicates=0 streams.0.bad_payload=0 "sources.0=$B_RELAY"
	check "the caller hears everything${2:+ $2}" field "$WORK/a.json" has \
		streams.0.ssrc=0xb0b00001 "streams.0.unique=$1" streams.0.lost=0 \
		streams.0.duplicates=0 streams.0.bad_payload=0 "sources.0=$A_RELAY"
}

# datapath_expected: xdp unless the script runs tandem with another.
datapath_expected()
{
	if [ "${DATAPATH:-auto}" = auto ]; then
		echo xdp
	else
		echo "$DATAPATH"
	fi
}

# phones_call WHAT: two baresips register, and one calls the other; their pids are alice and bob,
# which are the caller's variables.
phones_call()
{
	check "bob's phone starts ($1)" eval "PHONE_ANSWER=auto phone_start callee bob"
	bob=$PHONE_PID
	check "alice's phone starts ($1)" phone_start caller alice
	alice=$PHONE_PID
	check "bob is registered" phone_registered bob 5
	check "alice is registered" phone_registered alice 5
	phone alice dial "sip:bob@${PHONE_DOMAIN:-example.test}"
	check "the call is established" phone_event alice 5 CALL_ESTABLISHED
}

# phones_talk WHAT CONDITION...: two baresips register, talk for some seconds while the session
# fulfils the conditions, hang up, and each has heard the other, sample for sample.
phones_talk()
{
	local what=$1 alice bob
	shift
	phones_call "$what"
	check "audio passes both ways" wait_for 12 session_has 'verdict~two.way' 'flows.+.packets>300' "$@"
	check "every flow is offloaded" field "$WORK/live.json" has "flows.*.offload=$(datapath_expected)" \
		flows.+.dropped=0
	phone alice hangup
	check "bob hears that it is over" phone_event bob 5 CALL_CLOSED
	check "no session is left" wait_for 5 session_count_is 0
	stop_pid "$alice"
	stop_pid "$bob"
	check "bob heard alice, sample for sample ($what)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/alice.wav" "$(heard bob)"
	check "alice heard bob, sample for sample ($what)" \
		"$TOOLS/g711cmp" --law a --min 16000 "$WORK/bob.wav" "$(heard alice)"
	rm -rf "$WORK"/alice "$WORK"/bob "$WORK"/*.events
}

# fast_share PERMILLE: so many of the packets of the live session's flows that carry media
# took the fast path, when DATAPATH is one.
fast_share()
{
	session_save "$WORK/live.json" && "$PYTHON" - "$WORK/live.json" "$1" <<-'EOF'
		import json, sys
		fast = slow = 0
		def walk(node):
		    global fast, slow
		    if isinstance(node, dict):
		        fast += node.get("fast_packets", 0)
		        slow += node.get("slow_packets", 0)
		        node = list(node.values())
		    if isinstance(node, list):
		        for x in node:
		            walk(x)
		walk(json.load(open(sys.argv[1])))
		print(fast, slow)
		sys.exit(fast + slow < 400 or fast * 1000 < (fast + slow) * int(sys.argv[2]))
	EOF
}

# take_over: a new relay in place of the one that runs; the old one has ended well.
take_over()
{
	local old=$TANDEM_PID
	ns_start relay "$WORK/tandem.log.$((++TANDEM_RUNS))" \
		"$TANDEM" run --take-over -c "$WORK/tandem.yaml"
	TANDEM_PID=$LAST_PID
	ln -sf "tandem.log.$TANDEM_RUNS" "$WORK/tandem.log"
	wait "$old" && wait_for 30 serves "$TANDEM_PID"
}

serves()
{
	[ "$("$PYTHON" "$NETNS/handover.py" "$SOCK" pid)" = "$1" ]
}
