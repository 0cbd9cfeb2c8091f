#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two relays that have their calls in common by Redis. One is killed, its address moves to the
# other, and so do its calls. The topology is that of cluster.sh.

. "$(dirname "$0")/cluster.sh"
SIP_CALL_MS=12000 # past the moment at which its relay dies

# sip_phone NAME ADDRESS PORT OPTIONS...: a sipp among the parties; its pid is in LAST_PID.
sip_phone()
{
	local name=$1 address=$2 port=$3
	shift 3
	ns_start parties "$WORK/$name.out" sipp -sf "$SIP/$name.xml" -i "$address" -mi "$address" -p "$port" -m 1 -mp 6000 \
		-key audio_port 6000 -nostdin -timeout 60s -timeout_error -trace_err -error_file "$WORK/${name}_errors.log" "$@" "$VIP:5060"
}

sip_call_begin()
{
	sip_phone uas_answer 10.78.0.11 5070
	UAS_PID=$LAST_PID
	wait_for 5 udp_bound parties 5070
	sip_phone uac_quiet 10.78.0.10 5071 -d "$SIP_CALL_MS" -s bob
	UAC_PID=$LAST_PID
}

test_begin 120 redis-server redis-cli sipp clang-16
need_tandem
hub_up || tap_bail "topology"
check "Redis runs" redis_start || tap_done
check "relay a runs" node_start a 1 || tap_done
RELAY_A_PID=$LAST_PID
check "relay b runs" node_start b 2 || tap_done
check "nobody has the address yet" wait_for 5 cluster_is b cluster.redis=up cluster.addresses.0.state=away
vip_to a
check "relay a has it" wait_for 5 cluster_is a cluster.addresses.0.state=owner

check "$CALLS calls are up on relay a" calls_begin || tap_done
check "three more are offered, and not answered yet" calls_do open 3
check "Redis knows of all of them" wait_for 10 redis_calls $((CALLS + 3))

stop_pid "$REDIS_PID" KILL
check "without Redis relay a says so" wait_for 10 cluster_is a 'cluster.addresses.0.state=waiting'
check "all calls are there" sessions_on a $((CALLS + 3))
check "Redis comes back, with nothing in it" redis_start
check "relay a writes it all again" wait_for 15 redis_calls $((CALLS + 3))
sip_call_begin
check "one more call, by SIP" wait_for 10 redis_calls $((CALLS + 4))

stop_pid "$RELAY_A_PID" KILL
ip -n "$(ns_name a)" link del eth0
start=${EPOCHREALTIME/./}
vip_to b
check "relay b takes over every call" wait_for 10 cluster_is b cluster.addresses.0.state=owner \
	"cluster.addresses.0.adopted=$((CALLS + 4))" cluster.addresses.0.refused=0
tap_note "taken over $(((${EPOCHREALTIME/./} - start) / 1000)) ms after the address came, as seen from here"
check "it has them" sessions_on b $((CALLS + 4))
check "what was offered to relay a is answered on relay b" calls_do answer 10.78.0.2:2223
sleep 2
check "the call by SIP ends well: the caller" pid_wait "$UAC_PID"
check "the call by SIP ends well: the callee" pid_wait "$UAS_PID"
check "it is gone from relay b" wait_for 5 sessions_on b $((CALLS + 3))
check "all calls can be ended there" calls_do end 10.78.0.2:2223
check "none is left" wait_for 5 sessions_on b 0
check "nor in Redis" wait_for 5 redis_calls 0
kill -TERM "$CALLS_PID"
pid_wait "$CALLS_PID"
check "every call went on" field "$WORK/calls.json" has "calls=$((CALLS + 3))" "secured=$SECURED" silent=0 stopped=0 unreadable=0
tap_note "$(cat "$WORK/calls.json")"
tap_done
