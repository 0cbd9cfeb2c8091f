#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: rules come, change and go by the thousand a second while their packets keep
# coming, as in tests/netns/churn.t, with a load that an emulated machine can bear; the buffers of
# io_uring come into use there at a time that nobody knows, hence the room for memory. What
# churn says of each property is repeated as it is.
#
#   caller 10.77.1.2 ---- [ relay: churn, and its plane ] ---- callee 10.77.2.2, fd77:2::2

. "$(dirname "$0")/../netns/lib.sh"

DATAPATH=kmod
test_begin 90
need_tool churn
topology_up || tap_bail "topology"
ns_start relay "$WORK/churn.out" "$TOOLS/churn" --datapath kmod --send "$(ns_name caller)" \
	--receive "$(ns_name callee)" --seconds 2 --rate "${RATE:-10000}" --pps "${PPS:-4000}" \
	--rss-kb 4096
wait "$LAST_PID"
status=$?
sed -E 's/^(not )?ok - /&rules by the thousand: /' "$WORK/churn.out"
[ "$status" -eq 0 ] || echo "not ok - rules by the thousand: churn ends with status $status"
exit "$status"
