#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Who may include whom. Each row: the folder, and the project headers it may include
# (an extended regular expression). docs/conventions.md explains the directions.
set -eu
status=0

check() {
	dir=$1 allowed=$2
	[ -d "$dir" ] || return 0
	bad=$(find "$dir" -maxdepth "${3:-9}" -name '*.[ch]' -exec grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' {} + |
		sed -E 's/^([^:]+:[0-9]+):.*"([^"]+)".*/\1 \2/' |
		awk -v ok="^($allowed)$" '$2 !~ ok {print "  " $1 " includes " $2}')
	if [ -n "$bad" ]; then
		printf '%s may not include:\n%s\n' "$dir" "$bad" >&2
		status=1
	fi
}

core='core/[a-z0-9_]+\.(h|def)'
util='userspace/util/[a-z_]+\.h'
srtp='userspace/srtp/[a-z0-9_]+\.h'
dp='userspace/datapath/(datapath|plane)\.h'
store='userspace/store/[a-z_]+\.h'
sdp='userspace/sdp/[a-z_]+\.h'
session='userspace/session/(session|tap|traffic)\.h'

check core               "core/[a-z0-9_]+\.(h|def)|env\.h"
check bpf                "$core|env\.h|bpf/[a-z_]+\.bpf\.h|kmod/kfuncs\.h"
check kmod               "$core|kmod/[a-z_]+\.h|env\.h"
check userspace/util     "$util|$core"
check userspace/sdp      "$sdp|$util"
check userspace/store    "$store|$util"
check userspace/config   "userspace/config/[a-z_]+\.h|$util|core/abi\.h|$dp|$session|userspace/ng/ng\.h|userspace/cluster/[a-z]+\.h"
check userspace/srtp     "$srtp|$util|$core"
check userspace/datapath "userspace/datapath/[a-z_]+\.h|$srtp|$util|$core|relay(_module)?\.skel\.h"
check userspace/uring    "userspace/uring/[a-z_]+\.h|userspace/datapath/(bequest|datapath|hash|route|slots|srtp_sets|table)\.h|$srtp|$util|$core|env\.h|steer\.skel\.h"
check dpdk               "dpdk/[a-z_]+\.h|userspace/datapath/(datapath|dpdk_streams|dpdk_wire|netlink|route|slots|srtp_sets|table|table_fan)\.h|userspace/config/config\.h|$srtp|$util|$core"
check userspace/media    "userspace/media/[a-z_]+\.h|$dp|core/[a-z0-9_]+\.h|$util"
check userspace/session  "userspace/session/[a-z_]+\.h|$dp|core/abi\.h|core/counters\.def|userspace/media/[a-z_]+\.h|$sdp|$store|$util"
check userspace/cdr      "userspace/cdr/[a-z_]+\.h|userspace/store/db\.h|$util"
check userspace/live     "userspace/live/[a-z_]+\.h|userspace/capture/(link|pcapng)\.h|$dp|$session|$util|$core"
check userspace/record   "userspace/record/[a-z_]+\.h|userspace/live/live\.h|$session|$util|$core"
check userspace/play     "userspace/play/[a-z]+\.h|$dp|$session|$util"
check userspace/capture  "userspace/capture/[a-z_]+\.h|userspace/datapath/hash\.h|userspace/session/mos\.h|$sdp|$core|$util"
check userspace/replay   "userspace/replay/[a-z_]+\.h|userspace/capture/inspect\.h|userspace/datapath/hash\.h|$sdp|$core|$util"
check userspace/web      "userspace/web/[a-z_]+\.h|$util"
check userspace/ng       "userspace/ng/[a-z_]+\.h|userspace/(play/play|record/record)\.h|userspace/datapath/hash\.h|$sdp|$session|$util"
check userspace/cluster  "userspace/cluster/[a-z]+\.h|userspace/config/host\.h|$session|$util"
check userspace/sip      "userspace/sip/[a-z_]+\.h|userspace/cdr/cdr\.h|userspace/web/web\.h|userspace/media/stun\.h|$session|$store|$util"
check userspace/control  "userspace/control/[a-z_]+\.h|userspace/play/play\.h|$session|$store|$util"
check userspace/cli      "userspace/cli/[a-z_]+\.h|userspace/cdr/table\.h|userspace/capture/(inspect|pcapng)\.h|userspace/replay/replay\.h|bench/bench\.h|userspace/config/[a-z_]+\.h|userspace/control/[a-z_]+\.h|userspace/run\.h|$dp|$session|$store|$util"

# libre lives in the SIP front end, in the event loop and with the cluster, which is on it, and where captured
# SIP is decoded and calls are set up again; nowhere else.
bad=$(grep -rlE '#[[:space:]]*include[[:space:]]*<re(_[a-z]+)?\.h>' userspace --include='*.[ch]' |
	grep -vE '^userspace/(sip/|cluster/|capture/sip\.c|replay/dialog\.c|main\.c|loop\.c|run\.c)' || true)
if [ -n "$bad" ]; then
	printf 'these may not include libre:\n%s\n' "$bad" >&2
	status=1
fi
exit "$status"
