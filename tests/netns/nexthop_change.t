#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Neighbours and routes change while both sides talk, in each datapath. The media follows within
# about nexthop_age_ms (500 ms), and nobody touches the rules: where the datapath does without
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
SIPP_TIMEOUT=400
PATIENCE=20 # s, for what takes a tenth of one
PTIME=10    # ms
LOST=100    # packets that a change may cost: twice nexthop_age_ms

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

# datagrams: what has arrived at the callee's sockets.
datagrams()
{
	ns_run callee awk '/^Udp: [0-9]/ { print $2 }' /proc/net/snmp
}

# heard_beyond DATAGRAMS DEV PACKETS: so many have arrived, and so many by DEV.
heard_beyond()
{
	[ "$(datagrams)" -ge "$1" ] && [ "$(rx_packets "$2")" -ge "$3" ]
}

# heard_again WHAT DEV: from now on, audio arrives at the callee by DEV.
heard_again()
{
	check "$DATAPATH: $1: audio arrives by $2" wait_for "$PATIENCE" \
		heard_beyond $(($(datagrams) + 50)) "$2" $(($(rx_packets "$2") + 50))
}

# forwarded_again WHAT: from now on, the datapath forwards both directions.
forwarded_again()
{
	check "$DATAPATH: $1: forwarded by the datapath" wait_for "$PATIENCE" \
		passed_beyond $(($(passed) + 150))
}

# round_begin SSRC: both sides talk until the end of the round, and the datapath carries it.
round_begin()
{
	media_start callee b "$B_MEDIA" "$B_RELAY" --ptime "$PTIME" --ssrc 0xb0b00001
	B_PID=$LAST_PID
	media_start caller a "$A_MEDIA" "$A_RELAY" --ptime "$PTIME" --ssrc "$1"
	A_PID=$LAST_PID
	forwarded_again "before"
}

# round_end WHAT: what the phones heard is in a.json and b.json.
round_end()
{
	stop_pid "$A_PID"
	stop_pid "$B_PID"
	tap_note "$DATAPATH: $1: lost by the callee $(field "$WORK/b.json" get streams.0.lost), by the" \
		"caller $(field "$WORK/a.json" get streams.0.lost) of $(field "$WORK/a.json" get sent) packets"
	check "$DATAPATH: $1: the rules are those of the beginning" test "$(flow_ids)" = "$RULES"
}

# lost_little WHAT SIDE...: no more than a change may cost.
lost_little()
{
	local what=$1 side
	shift
	for side; do
		check "$DATAPATH: $what: $side lost $LOST packets at most" field "$WORK/$side.json" has \
			'streams.0.unique>=150' "streams.0.lost<=$LOST" streams.0.bad_payload=0
	done
}

# change_round WHAT SSRC DEV COMMAND...: a round in which COMMAND changes the way to DEV.
change_round()
{
	local what=$1 ssrc=$2 dev=$3
	shift 3
	round_begin "$ssrc"
	"$@"
	heard_again "$what" "$dev"
	forwarded_again "$what"
	round_end "$what"
	lost_little "$what" a b
	check "$DATAPATH: $what: the callee heard the caller" field "$WORK/b.json" has \
		"streams.0.ssrc=$ssrc"
}

# asleep_round: the same while the controller sleeps. The io_uring datapath is the controller's
# own thread: there it is as above.
asleep_round()
{
	local what=$1 dev=$3
	if [ "$DATAPATH" = uring ]; then
		change_round "$@"
		return
	fi
	change_round "$what" "$2" "$dev" asleep "$4" "$what" "$dev"
}

# asleep COMMAND WHAT DEV
asleep()
{
	kill -STOP "$TANDEM_PID"
	"$1"
	heard_again "$2, the controller asleep" "$3"
	kill -CONT "$TANDEM_PID"
}

# nothing_heard: for half a second.
nothing_heard()
{
	local before
	before=$(datagrams)
	sleep 0.5
	[ "$(datagrams)" = "$before" ]
}

# The callee knows the relay for good, so that nothing it sends makes itself known.
neighbour_round()
{
	local mac
	mac=$(relay_ip -br link show to_callee | awk '{ print $3 }')
	ip -n "$(ns_name callee)" neigh replace 10.77.2.1 lladdr "$mac" dev phone0 nud permanent
	# Three times asked in vain, and what waits for the neighbour is thrown away.
	ns_run relay sysctl -qw net.ipv4.neigh.to_callee.retrans_time_ms=100
	round_begin 0xa11ce005
	ns_run callee sysctl -qw net.ipv4.conf.all.arp_ignore=8
	relay_ip neigh flush dev to_callee
	check "$DATAPATH: neighbour gone: the callee hears nothing" wait_for "$PATIENCE" nothing_heard
	check "$DATAPATH: neighbour gone: the other direction goes on" wait_for "$PATIENCE" \
		passed_beyond $(($(passed) + 50))
	ns_run callee sysctl -qw net.ipv4.conf.all.arp_ignore=0
	heard_again "neighbour back" phone0
	forwarded_again "neighbour back"
	round_end "neighbour gone and back"
	lost_little "neighbour gone and back" a
	check "$DATAPATH: neighbour gone and back: b lost packets" field "$WORK/b.json" has \
		'streams.0.lost>=20' 'streams.0.unique>=150' streams.0.bad_payload=0
}

changes()
{
	topology_up backup || tap_bail "topology"
	# The second way into the callee is as good as the first.
	ns_run callee sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.phone0.rp_filter=0 \
		net.ipv4.conf.phone1.rp_filter=0
	check "$DATAPATH: tandem starts" start_tandem "$DATAPATH" || return
	call_start uac_quiet uas_answer -d 400000
	call_answered
	RULES=$(flow_ids)
	change_round "new MAC address, forgotten" 0xa11ce001 phone0 mac_forgotten
	asleep_round "new MAC address, told" 0xa11ce002 phone0 mac_told
	change_round "route moves" 0xa11ce003 phone1 route_away
	asleep_round "route moves back" 0xa11ce004 phone0 route_back
	neighbour_round
	tandem session end "$(session_ids)" >"$WORK/end.out"
	check "$DATAPATH: the session has ended" wait_for 5 session_count_is 0
	stop_pid "$UAC_PID" KILL
	stop_pid "$UAS_PID" KILL
	check "$DATAPATH: tandem stops when told to" relay_stops
}

test_begin 600 sipp clang-16
need_tandem
need_tool rtpphone
each_datapath changes
tap_done
