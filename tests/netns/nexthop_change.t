#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Neighbours and routes change while both sides talk, in each datapath. The media follows within
# about nexthop_age_ms (100 ms), and nobody touches the rules: where the datapath does without
# the controller, that one is stopped (SIGSTOP) meanwhile.
#
#   caller phone0 ---- [ relay: tandem ] to_callee ---- phone0 callee 10.77.2.2
#                                        to_backup ---- phone1 callee 10.77.3.2
#
#   1. the callee's interface gets another MAC address, and the relay forgets the old one
#   2. the same, but the relay is told the new one at once
#   3. the route to 10.77.2.2 moves to the backup link, whose neighbour is not known yet
#   4. it moves back
#   5. the callee stops answering ARP and is forgotten, and the relay's kernel gives up asking;
#      later it answers again

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
SIPP_TIMEOUT=120
PTIME=10   # ms
COUNT=350  # packets of each side in each round
BEFORE=60  # of them at least before the change
LOST=100   # what a change may cost: ten times nexthop_age_ms, for machines with other work

relay_ip()
{
	ip -n "$(ns_name relay)" "$@"
}

# rx_packets DEV: what has arrived at the callee on one of its links.
rx_packets()
{
	ns_run callee cat /proc/net/dev | awk -v d="$1:" '$1 == d { print $3 }'
}

# passed: packets that the datapath itself has forwarded so far, all flows together.
passed()
{
	session_save "$WORK/live.json" &&
		field "$WORK/live.json" get "flows.+.$(fast_or_slow "$DATAPATH")_packets"
}

passed_beyond()
{
	[ "$(passed)" -ge "$1" ]
}

# flow_ids: the flows of the call with the addresses of their rules.
flow_ids()
{
	session_save "$WORK/live.json" && field "$WORK/live.json" get 'flows.*.id' 'flows.*.local' \
		'flows.*.egress_local' 'flows.*.egress_remote'
}

# mac_change DIGIT: the callee's interface gets the address 02:00:00:00:02:0DIGIT.
mac_change()
{
	ip -n "$(ns_name callee)" link set phone0 address "02:00:00:00:02:0$1"
}

mac_forgotten()
{
	mac_change 1 && relay_ip neigh flush dev to_callee
}

mac_told()
{
	mac_change 2 &&
		relay_ip neigh replace 10.77.2.2 lladdr 02:00:00:00:02:02 dev to_callee nud reachable
}

route_away()
{
	relay_ip neigh flush dev to_backup
	relay_ip route add 10.77.2.2/32 via 10.77.3.2 dev to_backup
}

route_back()
{
	relay_ip route del 10.77.2.2/32
}

# controller_stopped COMMAND...: the change happens and is followed while the controller sleeps.
# The io_uring datapath is the controller's own thread: there it only watches.
controller_stopped()
{
	[ "$DATAPATH" = uring ] || kill -STOP "$TANDEM_PID"
	"$@"
	sleep 1.5
	kill -CONT "$TANDEM_PID"
}

# round_begin SSRC: both sides talk, and the datapath carries it.
round_begin()
{
	local before
	before=$(passed)
	media_start callee b "$B_MEDIA" "$B_RELAY" --count "$COUNT" --ptime "$PTIME" --ssrc 0xb0b00001 \
		--start 100 --linger 2000
	B_PID=$LAST_PID
	media_start caller a "$A_MEDIA" "$A_RELAY" --count "$COUNT" --ptime "$PTIME" --ssrc "$1" \
		--start 100 --linger 1000
	A_PID=$LAST_PID
	check "$DATAPATH: audio flows" wait_for 5 passed_beyond $((before + 2 * BEFORE))
}

# round_end WHAT SSRC: both heard the other, but for what the change may cost.
round_end()
{
	media_both_wait
	check "$DATAPATH: $1: the callee lost $LOST packets at most" field "$WORK/b.json" has \
		"streams.0.ssrc=$2" "streams.0.unique>=$((COUNT - LOST))" "streams.0.lost<=$LOST" \
		streams.0.bad_payload=0
	check "$DATAPATH: $1: the caller lost $LOST packets at most" field "$WORK/a.json" has \
		"streams.0.unique>=$((COUNT - LOST))" "streams.0.lost<=$LOST" streams.0.bad_payload=0
	tap_note "$DATAPATH: $1: heard by the callee $(field "$WORK/b.json" get streams.0.unique)," \
		"by the caller $(field "$WORK/a.json" get streams.0.unique) of $COUNT"
	check "$DATAPATH: $1: the rules are those of the beginning" test "$(flow_ids)" = "$RULES"
}

# change_round WHAT SSRC DEV COMMAND...: a round in which COMMAND changes the way, after which
# packets come in by DEV of the callee, forwarded by the datapath.
change_round()
{
	local what=$1 ssrc=$2 dev=$3 arrived forwarded
	shift 3
	round_begin "$ssrc"
	arrived=$(rx_packets "$dev")
	"$@"
	forwarded=$(passed)
	check "$DATAPATH: $what: forwarded by the datapath again" wait_for 5 \
		passed_beyond $((forwarded + 100))
	round_end "$what" "$ssrc"
	check "$DATAPATH: $what: packets come in by $dev" test \
		$(($(rx_packets "$dev") - arrived)) -ge 100
}

# quiet: nothing reaches the callee's media socket for half a second.
datagrams()
{
	ns_run callee awk '/^Udp: [0-9]/ { print $2 }' /proc/net/snmp
}

quiet()
{
	local before
	before=$(datagrams)
	sleep 0.5
	[ "$(datagrams)" = "$before" ]
}

heard_beyond()
{
	[ "$(datagrams)" -ge "$1" ]
}

# The callee knows the relay for good, so that nothing it sends makes itself known.
neighbour_round()
{
	local mac forwarded
	mac=$(relay_ip -br link show to_callee | awk '{ print $3 }')
	ip -n "$(ns_name callee)" neigh replace 10.77.2.1 lladdr "$mac" dev phone0 nud permanent
	# Three times asked in vain, and what waits for the neighbour is thrown away.
	ns_run relay sysctl -qw net.ipv4.neigh.to_callee.retrans_time_ms=100
	COUNT=700 round_begin 0xa11ce005
	ns_run callee sysctl -qw net.ipv4.conf.all.arp_ignore=8
	relay_ip neigh flush dev to_callee
	check "$DATAPATH: neighbour gone: nothing arrives" wait_for 4 quiet
	forwarded=$(passed)
	check "$DATAPATH: neighbour gone: the caller still hears the callee" wait_for 4 \
		passed_beyond $((forwarded + 20))
	ns_run callee sysctl -qw net.ipv4.conf.all.arp_ignore=0
	check "$DATAPATH: neighbour back: audio is heard" wait_for 5 heard_beyond $(($(datagrams) + 50))
	forwarded=$(passed)
	check "$DATAPATH: neighbour back: forwarded by the datapath again" wait_for 4 \
		passed_beyond $((forwarded + 60))
	media_both_wait
	check "$DATAPATH: neighbour gone: the caller lost nothing to speak of" field "$WORK/a.json" has \
		"streams.0.lost<=$LOST" streams.0.bad_payload=0
	check "$DATAPATH: neighbour back: the callee lost packets, and hears the last" field \
		"$WORK/b.json" has 'streams.0.lost>=20' 'streams.0.unique>=100' streams.0.bad_payload=0
	tap_note "$DATAPATH: neighbour gone: the callee heard" \
		"$(field "$WORK/b.json" get streams.0.unique) of 700"
	check "$DATAPATH: neighbour back: the rules are those of the beginning" test "$(flow_ids)" = "$RULES"
}

changes()
{
	topology_up backup || tap_bail "topology"
	# The second way into the callee is as good as the first.
	ns_run callee sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.phone0.rp_filter=0 \
		net.ipv4.conf.phone1.rp_filter=0
	check "$DATAPATH: tandem starts" start_tandem "$DATAPATH" || return
	call_start uac_quiet uas_answer -d 100000
	call_answered
	RULES=$(flow_ids)
	change_round "new MAC address, forgotten" 0xa11ce001 phone0 mac_forgotten
	change_round "new MAC address, told" 0xa11ce002 phone0 controller_stopped mac_told
	change_round "route moves" 0xa11ce003 phone1 route_away
	change_round "route moves back" 0xa11ce004 phone0 controller_stopped route_back
	neighbour_round
	tandem session end "$(session_ids)" >"$WORK/end.out"
	check "$DATAPATH: the session has ended" wait_for 5 session_count_is 0
	stop_pid "$UAC_PID" KILL
	stop_pid "$UAS_PID" KILL
	check "$DATAPATH: tandem stops when told to" relay_stops
}

test_begin 400 sipp clang-16
need_tandem
need_tool rtpphone
each_datapath changes
tap_done
