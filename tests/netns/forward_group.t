#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Multicast groups on either side of a forward, IPv4 and IPv6: any source (RFC 1112), one source
# (RFC 4607), and from a group to two others; through each datapath.
#
#   caller 10.77.1.2:4000 --> 239.1.2.3:5004 ---- to_caller [ relay: tandem ] to_callee
#          fd77:1::2                                   --> 239.9.9.9:6000, [ff1e::9]:6002  callee

. "$(dirname "$0")/forwards.sh"

COUNT=100

# group_passes NAME SEND OPTIONS...: all legs get all that is sent to the group.
group_passes()
{
	local name=$1
	shift
	receive_start "$name" --count "$COUNT" || return 1
	send --count "$COUNT" "$@" || return 1
	receive_wait
	all_arrived "$name"
}

# group_is_silent NAME SEND OPTIONS...: none of it arrives.
group_is_silent()
{
	local name=$1
	shift
	receive_start "$name" --count "$COUNT" --silent --seconds 2 || return 1
	send --count 50 --ptime 5 "$@" || return 1
	receive_wait
	field "$WORK/$name.report" has total.received=0 total.wrong=0
}

unicast_to_group()
{
	forward_set in <<-EOF
		{"from": "$SOURCE", "to": "10.77.1.1:16400", "payload_types": [{"pt": 0}],
		 "out": [{"to": "239.9.9.9:6000", "from": "10.77.2.1", "ttl": 7, "dscp": 46},
		         {"to": "[ff1e::9]:6002", "from": "fd77:2::1", "ttl": 9},
		         {"to": "10.77.2.2:6004"}]}
	EOF
}

group_to_unicast()
{
	forward_set "$1" <<-EOF
		{$3 "to": "$2", "interface": "to_caller", "payload_types": [{"pt": 0}],
		 "out": [{"to": "10.77.2.2:6000"}, {"to": "[fd77:2::2]:6002", "seq_offset": 5}]}
	EOF
}

forward_group()
{
	forward_begin
	check "$DATAPATH: the relay knows its neighbour" neighbours_known
	check "$DATAPATH: from one sender to groups" unicast_to_group || tap_done
	check "$DATAPATH: members of both groups, and one more, get all" group_passes in \
		--to 10.77.1.1:16400
	check "$DATAPATH: it is removed" tandem forward remove in

	check "$DATAPATH: a group, any source" group_to_unicast asm 239.1.2.3:5004 '' || tap_done
	check "$DATAPATH: what is sent to the group arrives" group_passes asm --to 239.1.2.3:5004
	check "$DATAPATH: from another source, too" group_passes asm --to 239.1.2.3:5004 \
		--bind 10.77.1.9:4444
	check "$DATAPATH: another port of the group is not meant" group_is_silent asm \
		--to 239.1.2.3:5006
	check "$DATAPATH: it is removed" tandem forward remove asm

	check "$DATAPATH: a group, one source" group_to_unicast ssm 232.1.2.3:5004 \
		'"from": "10.77.1.2",' || tap_done
	check "$DATAPATH: what that source sends arrives" group_passes ssm --to 232.1.2.3:5004
	check "$DATAPATH: from whatever port" group_passes ssm --to 232.1.2.3:5004 \
		--bind 10.77.1.2:4444
	check "$DATAPATH: another source is not heard" group_is_silent ssm --to 232.1.2.3:5004 \
		--bind 10.77.1.9:4000
	check "$DATAPATH: it is removed" tandem forward remove ssm
	check "$DATAPATH: a group that is left is not heard" group_is_silent ssm --to 232.1.2.3:5004

	check "$DATAPATH: IPv6, any source" group_to_unicast six '[ff1e::5]:5004' '' || tap_done
	check "$DATAPATH: what is sent to the group arrives" group_passes six \
		--to '[ff1e::5]:5004' --bind '[fd77:1::2]:4000'
	check "$DATAPATH: it is removed" tandem forward remove six
	check "$DATAPATH: IPv6, one source" group_to_unicast six '[ff3e::5]:5004' '"from": "fd77:1::2",' || tap_done
	check "$DATAPATH: what that source sends arrives" group_passes six \
		--to '[ff3e::5]:5004' --bind '[fd77:1::2]:4000'
	check "$DATAPATH: another source is not heard" group_is_silent six \
		--to '[ff3e::5]:5004' --bind '[fd77:1::9]:4000'
	check "$DATAPATH: it is removed" tandem forward remove six
	tap_note "$DATAPATH: $(tandem stats)"
}

test_begin 300
need_tandem
each_datapath forward_group
tap_done
