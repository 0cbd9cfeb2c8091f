#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One stream to fifty receivers, each with an SSRC, payload type, sequence numbers, timestamps and
# DSCP of its own; through each datapath. The document changes under the stream, and the controller
# is killed besides.
#
#   caller 10.77.1.2:4000 ---- [ relay: tandem ] ==50== callee 10.77.2.2:6000, 6002, ... 6098

. "$(dirname "$0")/forwards.sh"

LEGS=50
COUNT=200

fan_document()
{
	printf '{"from": "%s", "to": "10.77.1.1:16400", "payload_types": [{"pt": 0}], "out": %s}\n' \
		"$SOURCE" "$(rtpfan legs "${1:-$LEGS}")"
}

fans_out()
{
	local before after copies
	check "$DATAPATH: a forward with $LEGS legs" forward_set stage < <(fan_document) || tap_done
	check "$DATAPATH: it is listed" eval 'tandem forward list | field - has "forwards.*.name=stage" "forwards.*.leg_count=50"'
	check "$DATAPATH: the relay knows its neighbour" neighbours_known
	check "$DATAPATH: fifty receivers listen" receive_start stage --count "$COUNT" || return
	before=$(device_count callee phone0 rx)
	check "$DATAPATH: the sender sends" send --to 10.77.1.1:16400 --count "$COUNT" --rtcp 50
	receive_wait
	after=$(device_count callee phone0 rx)
	check "$DATAPATH: every copy arrives once, with its own translation" all_arrived stage
	check "$DATAPATH: RTCP arrives on each leg, as its SSRC" field "$WORK/stage.report" has \
		"legs.*.rtcp=$((COUNT / 50))"
	copies=$((LEGS * (COUNT + COUNT / 50)))
	check "$DATAPATH: the receivers' device counts them, $((after - before)) of $copies" \
		test $((after - before)) -ge "$copies" -a $((after - before)) -le $((copies + 20))
	check "$DATAPATH: the relay's counts agree" forward_has stage "packets=$((COUNT + COUNT / 50))" \
		"legs.*.packets=$COUNT" 'legs.*.lost=0' "legs.*.rtcp.packets=$((COUNT / 50))" \
		"streams.*.packets=$COUNT" 'streams.*.lost=0' 'streams.*.sender_reports>=3'
	check "$DATAPATH: copies are counted in all" eval \
		"tandem stats | field - get $(fast_or_slow "$DATAPATH").copies_sent | grep -qx '[0-9]*'"
	check "$DATAPATH: offloaded, or said why not" test -n "$(forward_offload stage)"
	tap_note "$DATAPATH: offload: $(forward_offload stage)"
}

# Legs go and come while the stream runs: those that stay miss nothing, and count on.
changes()
{
	local legs
	forward_set stage < <(fan_document 20) || return 1
	receive_start stage --count 300 --seconds 8 || return 1
	send_start --to 10.77.1.1:16400 --count 300
	sleep 0.5
	forward_set other < <(fan_document 50) && return 1 # same source and port
	for legs in 30 20 40 20 30 20 40 20 50 20; do
		tandem forward set - < <(fan_document "$legs" | sed 's/^{/{"name": "stage", /') >/dev/null || return 1
		sleep 0.1
	done
	wait "$SENDER_PID" || return 1
	receive_wait
	all_arrived stage
}

# What survives the controller: counts of forwards that went on without it.
killed()
{
	receive_start stage --count 300 --seconds 12 || return 1
	send_start --to 10.77.1.1:16400 --count 300
	sleep 0.5
	kill_tandem || return 1
	sleep 1
	tandem_launch || return 1
	wait "$SENDER_PID" || return 1
	receive_wait
}

forward_fan()
{
	forward_begin
	fans_out
	check "$DATAPATH: legs come and go without loss for the others" changes
	check "$DATAPATH: counts of those that stay go on" forward_has stage 'legs.*.packets=500'
	check "$DATAPATH: the controller is killed under it, and starts again" killed
	if [ "$DATAPATH" = uring ]; then
		check "$DATAPATH: the forward is there again" forward_has stage 'legs.*.packets>0'
	else
		check "$DATAPATH: not one copy was lost over it" all_arrived stage
		check "$DATAPATH: statistics have gone on" forward_has stage 'legs.*.packets=800' \
			'legs.*.lost=0'
	fi
	check "$DATAPATH: the forward is removed" tandem forward remove stage
	check_not "$DATAPATH: and gone" tandem forward show stage
}

test_begin 240
need_tandem
each_datapath forward_fan
tap_done
