#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Offers and answers a second by the NG protocol: tandem and rtpengine (in userspace), one after the
# other, in each of several rounds. As root, in namespaces of its own. Prints a line of JSON for each.
#
# ROUNDS (3), CALLS (10000), DATAPATH, TANDEM, TOOLS.

. "$(dirname "${BASH_SOURCE[0]}")/../tests/netns/calls.sh"
: "${ROUNDS:=3}" "${CALLS:=10000}"
CLIENT=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/ng.py

tandem_round()
{
	start_tandem "${DATAPATH:-auto}" || tap_bail tandem
	ns_run relay "$PYTHON" "$CLIENT" tandem 127.0.0.1:2223 "$TANDEM_PID" "$CALLS"
	kill -TERM "$TANDEM_PID"
	wait "$TANDEM_PID" 2>/dev/null
	rm -f "$WORK"/tandem.db*
}

rtpengine_round()
{
	local pid
	ns_start relay "$WORK/rtpengine.log" rtpengine --foreground --log-stderr --log-level=3 --table=-1 \
		--interface=10.77.1.1 --listen-ng=127.0.0.1:2223 --port-min=16384 --port-max=57343
	pid=$LAST_PID
	wait_for 10 udp_bound relay 2223 || tap_bail rtpengine
	ns_run relay "$PYTHON" "$CLIENT" rtpengine 127.0.0.1:2223 "$pid" "$CALLS"
	stop_pid "$pid"
}

test_begin 600 rtpengine clang-16
need_tandem
topology_up || tap_bail topology
SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}"
PORT_MAX=57343
MEDIA_EXTRA="max_sessions: 20000
  flow_capacity: 165000"
for ((round = 1; round <= ROUNDS; round++)); do
	tandem_round
	rtpengine_round
done
