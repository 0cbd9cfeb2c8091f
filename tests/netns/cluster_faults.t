#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Redis that is full, or may only be read; and two relays that have the same address. Calls go on,
# the relay says what is wrong, and afterwards Redis has what it missed.
#
# The topology is that of cluster.sh.

CALLS=40
SECURED=0
. "$(dirname "$0")/cluster.sh"

# address_says NODE STATE [WORDS]: of the address that moves, with these words for an error.
address_says()
{
	cluster_is "$1" "cluster.addresses.0.state=$2" || return 1
	[ -z "${3-}" ] || grep -q "\"error\": *\"[^\"]*$3" "$WORK/stats.json"
}

# through WHAT WORDS: while Redis refuses, calls go on, begin and end on relay a.
through()
{
	local before
	before=$(on a session list | field - count)
	check "three more calls while $1" calls_do open 3
	check "and they are answered" calls_do answer 10.78.0.1:2223
	check "the relay says what is wrong ($1)" wait_for 10 address_says a waiting "$2"
	check "it has all calls" sessions_on a $((before + 3))
}

test_begin 120 redis-server redis-cli clang-16
need_tandem
hub_up || tap_bail "topology"
check "Redis runs" redis_start || tap_done
check "relay a runs" node_start a 1 || tap_done
check "relay b runs" node_start b 2 || tap_done
vip_to a
check "relay a has the address" wait_for 5 address_says a owner
check "$CALLS calls are up on relay a" calls_begin || tap_done
check "Redis knows of all of them" wait_for 10 redis_calls "$CALLS"

check "Redis takes nothing more" redis config set maxmemory 1
through "Redis is full" OOM
check "there is room again" redis config set maxmemory 0
check "Redis has what it missed" wait_for 10 redis_calls $((CALLS + 3))
check "and the relay is content" wait_for 5 address_says a owner

check "Redis may only be read" redis config set min-replicas-to-write 1
through "Redis may only be read" NOREPLICAS
check "it may be written" redis config set min-replicas-to-write 0
check "Redis has what it missed" wait_for 10 redis_calls $((CALLS + 6))

check "a key of another type is in the way" redis del "tandem:{$VIP}:calls"
check "as it may be by mistake" redis set "tandem:{$VIP}:calls" nonsense
through "a key is of another type" WRONGTYPE
check "it goes" redis del "tandem:{$VIP}:calls"
check "Redis has all of it" wait_for 10 redis_calls $((CALLS + 9))

addr_add b eth0 "$VIP/24"
check "relay b has the address as well, and claims it" wait_for 10 address_says b owner
check "relay a says so" wait_for 10 address_says a elsewhere
check "its calls go on" sessions_on a $((CALLS + 9))
check "both have them" sessions_on b $((CALLS + 9))
ip -n "$(ns_name b)" addr del "$VIP/24" dev eth0
check "relay b has it no more" wait_for 10 address_says b away
ip -n "$(ns_name a)" addr del "$VIP/24" dev eth0
check "relay a neither" wait_for 10 address_says a away
vip_to a
check "relay a gets it again" wait_for 10 address_says a owner
check "with all calls" sessions_on a $((CALLS + 9))
sleep 1
check "all calls can be ended there" calls_do end 10.78.0.1:2223
check "none is left" wait_for 5 sessions_on a 0
check "nor in Redis" wait_for 5 redis_calls 0
kill -TERM "$CALLS_PID"
pid_wait "$CALLS_PID"
check "every call went on" field "$WORK/calls.json" has "calls=$((CALLS + 9))" silent=0 stopped=0
tap_note "$(cat "$WORK/calls.json")"
tap_done
