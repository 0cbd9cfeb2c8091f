#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A group is joined by the relay's kernel on the device of the exception path; the report leaves
# by the worker's NIC, and so does the one that it is left.
#
#   caller phone0 ---- nic_caller [ tandem-dpdk ] to_caller, kernel: IGMP

. "$(dirname "$0")/../netns/forwards.sh"
DATAPATH=dpdk

# reports FILTER: IGMPv3 (RFC 3376) has the kind of its group record behind 8 octets of its own.
reports()
{
	tcpdump -nr "$WORK/igmp.pcap" "igmp[0] = 0x22 and igmp[8] = $1 and igmp[12:4] = 0xef070809" \
		2>/dev/null | grep -q .
}

if missing=$(datapath_missing); then
	tap_skip_all "$missing"
fi
test_begin 60 tcpdump
need_tandem
forward_begin
ns_start caller "$WORK/tcpdump.log" tcpdump -i phone0 -nU -w "$WORK/igmp.pcap" igmp
check "the link is watched" wait_for 5 grep -q "listening on" "$WORK/tcpdump.log"
check "a forward from a group" forward_set igmp <<-END
	{"to": "239.7.8.9:5004", "interface": "to_caller", "payload_types": [{"pt": 0}],
	 "out": [{"to": "10.77.2.2:6000"}, {"to": "10.77.2.2:6002"}]}
END
check "its join leaves by the NIC" wait_for 5 reports 4
check "the forward is removed" tandem forward remove igmp
check "its leave does, too" wait_for 5 reports 3
tap_done
