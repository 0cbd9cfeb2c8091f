#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls are recorded while they stay in the fast path: who said what, when it was paused, and what
# becomes of it when the disk is full. Through XDP and io_uring.
#
#   phone 10.77.1.2 ---- relay: NG 127.0.0.1:2223 ---- phone 10.77.2.2
#                          |
#                   a tmpfs of 5 MiB

. "$(dirname "$0")/calls.sh"

recorded()
{
	topology_up || tap_bail topology
	mkdir -p "$WORK/rec"
	mount -t tmpfs -o size=5m tmpfs "$WORK/rec" || tap_bail "tmpfs"
	check "$DATAPATH: tandem starts" start_tandem || { umount "$WORK/rec"; tap_done; }
	PYTHONPATH=$NETNS timeout 60 "$PYTHON" "$NETNS/record.py" "$(ns_name caller)" "$(ns_name relay)" \
		"$(ns_name callee)" "$WORK/rec" "$TANDEM" "$SOCK" >"$WORK/record.out" 2>&1
	check "$DATAPATH: the phones come to their end" test $? = 0 || tap_note "$(tail -n 5 "$WORK/record.out")"
	while read -r line; do
		case $line in
		"ok "*) tap_ok "$DATAPATH: ${line#ok }" ;;
		"not ok "*) tap_fail "$DATAPATH: ${line#not ok }" ;;
		"# "*) echo "${line:0:600}" ;;
		esac
	done <"$WORK/record.out"
	check "$DATAPATH: no session is left" session_count_is 0
	check "$DATAPATH: tandem stops when told to" relay_stops
	umount "$WORK/rec"
	rm -f "$WORK"/tandem.db*
}

SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}
record: {dir: WORK/rec, min_free_mb: 2, forward: \"tcp:127.0.0.1:5555\"}"
test_begin 180 clang-16
need_tandem
"$PYTHON" -c "import pylibsrtp" 2>/dev/null || tap_skip_all "needs python3-pylibsrtp"
YAML_EXTRA=${YAML_EXTRA/WORK/$WORK}
for DATAPATH in xdp uring; do
	tap_note "datapath $DATAPATH"
	recorded
	topology_down
done
tap_done
