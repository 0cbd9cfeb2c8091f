#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Ten thousand rules a second come, change and go while their packets keep coming, in each
# datapath; once as shipped, once under the sanitizers. tests/tools/churn.c is the relay's
# controller here, the sender and the judge; what it says is repeated line by line.
#
#   caller 10.77.1.2 ---- [ relay: churn, and its plane ] ---- callee 10.77.2.2, fd77:2::2

. "$(dirname "$0")/lib.sh"

# churn_tap NAME: what churn wrote to $WORK/churn.out, as TAP.
churn_tap()
{
	local line
	while read -r line; do
		case $line in
		"ok - "*) tap_ok "$1: ${line#ok - }" ;;
		"not ok - "*) tap_fail "$1: ${line#not ok - }" ;;
		'#'*) tap_note "$1:${line#'#'}" ;;
		esac
	done <"$WORK/churn.out"
}

# churn NAME PROGRAM OPTIONS...: to its end, whose status is a line of its own.
churn()
{
	local name=$1 program=$2 watch=()
	shift 2
	[ "$DATAPATH" != dpdk ] || watch=(--watch "$WORKER_PID")
	ns_start relay "$WORK/churn.out" "$program" --datapath "$DATAPATH" \
		--send "$(ns_name caller)" --receive "$(ns_name callee)" \
		--interface to_caller --interface to_callee --bpf-dir "$BPF_DIR" \
		--dpdk-socket "$WORK/dpdk.sock" "${watch[@]}" "$@"
	wait "$LAST_PID"
	local status=$?
	churn_tap "$name"
	check "$name: it ends well" test "$status" -eq 0 ||
		tap_note "$(grep -v -E '^(not )?ok - ' "$WORK/churn.out" | tail -n 40)"
}

# What a sanitizer keeps of freed memory is no leak: it looks for those itself.
churns()
{
	topology_up || tap_bail "topology"
	churn "$DATAPATH" "$TOOLS/churn"
	churn "$DATAPATH, sanitized" "$TOOLS/churn.asan" --seconds 2 --rss-kb 65536
}

test_begin 300
need_tool churn churn.asan
each_datapath churns
tap_done
