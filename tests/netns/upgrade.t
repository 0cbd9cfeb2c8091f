#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A relay hands over to another, twice, while a call talks and others come and go.
#
#   caller ---- relay (tandem: run --take-over, twice) ---- callee
#     rtpphone 7000, numbered media of one call           rtpphone 7000
#     sipp 5060, that call; sipp 5062, ten calls a        sipp 5060, 5062
#     second, each with its BYE 1.5 s later
#
# Not a packet is lost, with XDP nor with io_uring alone, and no call fails: what comes for io_uring
# meanwhile waits in sockets that are handed over. Before that, those who may not take over, or die
# while they do, do no harm; nor, with io_uring, does one that dies while media pass.

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
SIPP_TIMEOUT=90
PACKETS=400
LOAD=60

# load_start: sipp calls carol, ten times a second.
load_start()
{
	check "carol registers" register callee carol 5062 "$B_SIP" -mp 6400 || tap_done
	sipp_start callee uas_load uas_answer "$B_SIP" -p 5062 -mp 6200 -m "$LOAD"
	UAS_LOAD_PID=$LAST_PID
	wait_for 5 udp_bound callee 5062
	sipp_start caller uac_load uac_quiet "$A_SIP" -p 5062 -mp 6200 -s carol -m "$LOAD" -r 10 -d 1500
	UAC_LOAD_PID=$LAST_PID
}

# refused WORDS ARGUMENT...: what handover.py gets for an answer has these words.
refused()
{
	local words=$1
	shift
	"$PYTHON" "$NETNS/handover.py" "$SOCK" "$@" >"$WORK/refused" 2>&1
	cat "$WORK/refused"
	grep -q "$words" "$WORK/refused"
}

no_harm()
{
	check "another ABI is refused, with both versions and what to do" \
		refused 'version 9.9 has ABI 99.*ABI [0-9]*: let them end' abi
	check "a second one at the same time is refused" refused 'taking over already' twice
	check "who dies half way is noticed" "$PYTHON" "$NETNS/handover.py" "$SOCK" die
	check "the old process serves again" wait_for 30 serves "$TANDEM_PID"
	sed 's/10.77.1.1:5060/192.0.2.1:5060/' "$WORK/tandem.yaml" >"$WORK/wrong.yaml"
	check_not "one whose addresses are not there does not start" ns_run relay timeout 30 \
		"$TANDEM" run --take-over -c "$WORK/wrong.yaml"
	check "the old process serves as before" wait_for 30 serves "$TANDEM_PID"
}

upgrades()
{
	relay_begin_here
	call_start uac_quiet uas_answer -d 80000
	call_answered
	[ "$DATAPATH" != xdp ] || no_harm
	id=$(session_ids | head -n 1)
	load_start
	media_both_start "$PACKETS"
	wait_for 5 session_save_has "$id" 'flows.+.packets>60'
	check "a new process takes over ($DATAPATH)" take_over
	sleep 1
	check "and another from that" take_over
	if [ "$DATAPATH" = uring ]; then
		check "one that dies half way is noticed" "$PYTHON" "$NETNS/handover.py" "$SOCK" die
		check "the process that was to end serves again" wait_for 30 serves "$TANDEM_PID"
	fi
	check "the call is known" session_save_has "$id" state=established
	media_both_wait
	if [ "$DATAPATH" = xdp ]; then
		check "counters went on" session_save_has "$id" "flows.+.packets>=$((2 * PACKETS))"
	fi
	media_exact "$PACKETS" "over both upgrades"
	check "no call of the load failed" pid_wait "$UAC_LOAD_PID"
	check "nor at the callee" pid_wait "$UAS_LOAD_PID"
	check "nothing but the call is left of it" wait_for 10 session_count_is 1
	check "an operator ends the call" tandem session end "$id"
	stop_pid "$UAC_PID" KILL
	stop_pid "$UAS_PID" KILL
	relay_ends
}

# As between versions whose ABI differs: what is pinned is dropped, the calls are in the database.
anew()
{
	stop_pid "$TANDEM_PID" TERM
	ns_start relay "$WORK/tandem.log.$((++TANDEM_RUNS))" "$TANDEM" run --fresh -c "$WORK/tandem.yaml"
	TANDEM_PID=$LAST_PID
	ln -sf "tandem.log.$TANDEM_RUNS" "$WORK/tandem.log"
	wait_for 30 serves "$TANDEM_PID"
}

without_what_is_pinned()
{
	relay_begin_here
	call_start uac_quiet uas_answer -d 80000
	call_answered
	id=$(session_ids | head -n 1)
	media_both_start "$PACKETS"
	wait_for 5 session_save_has "$id" 'flows.+.packets>60'
	check "another process begins with nothing pinned" anew
	check "the call is known" session_save_has "$id" state=established
	media_both_wait
	lost=$(field "$WORK/b.json" get streams.0.lost)
	tap_note "$lost of $PACKETS packets, 20 ms each, were lost meanwhile"
	check "the call goes on after a moment" test "$lost" -lt $((PACKETS / 2))
	check "in the fast path" session_save_has "$id" "flows.*.offload=xdp" "flows.+.packets>60"
	check "an operator ends the call" tandem session end "$id"
	stop_pid "$UAC_PID" KILL
	stop_pid "$UAS_PID" KILL
	relay_ends
}

session_save_has()
{
	local id=$1
	shift
	session_save "$WORK/live.json" "$id" && field "$WORK/live.json" has "$@"
}

relay_begin_here()
{
	topology_up || tap_bail "topology"
	check "tandem starts ($DATAPATH)" start_tandem || tap_done
}

test_begin 150 sipp
need_tandem
need_tool rtpphone
DATAPATHS=${DATAPATHS:-xdp uring} each_datapath upgrades
DATAPATH=xdp
without_what_is_pinned
tap_done
