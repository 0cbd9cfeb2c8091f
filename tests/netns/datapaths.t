#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The demonstration call (demo.sh, whose topology is its own) through each datapath: two baresip
# phones, audio compared sample for sample, at least 99 % of it forwarded by that datapath.
#
#   alice (baresip) ---- relay (tandem: xdp, uring, dpdk) ---- bob (baresip)

. "$(dirname "$0")/lib.sh"
test_begin 300 baresip tshark tcpdump
need_tandem
need_tool g711cmp

demo()
{
	check "a call through $DATAPATH" "$NETNS/demo.sh" 12 "$DATAPATH"
	tap_note "$(grep -E '^RTP packets|^forwarded' "$WORK/check.out")"
}

each_datapath demo
tap_done
