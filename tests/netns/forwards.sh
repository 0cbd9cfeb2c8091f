# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts about forwards share beyond lib.sh: one is set, a sender (caller) sends to it,
# and receivers (callee) judge what comes by its document. Sourced by them in place of lib.sh.
#
#   caller 10.77.1.2:4000 ---- [ relay: tandem ] ---- callee 10.77.2.2:6000, 6002, ...

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SOURCE=10.77.1.2:4000

# forward_begin: topology, and tandem with DATAPATH.
forward_begin()
{
	topology_up || tap_bail "topology"
	check "$DATAPATH: tandem starts" start_tandem || tap_done
}

# forward_set NAME: the document on standard input; "name" is added. Its state goes to NAME.json.
forward_set()
{
	"$PYTHON" -c 'import json, sys
doc = json.load(sys.stdin)
doc["name"] = sys.argv[1]
print(json.dumps(doc))' "$1" >"$WORK/$1.doc" &&
		tandem forward set "$WORK/$1.doc" >"$WORK/$1.json"
}

# forward_to NAME: where the relay receives.
forward_to()
{
	field "$WORK/$1.json" get to
}

# forward_has NAME CONDITION...
forward_has()
{
	local name=$1
	shift
	tandem forward show "$name" >"$WORK/$name.live" && field "$WORK/$name.live" has "$@"
}

rtpfan()
{
	"$PYTHON" "$NETNS/rtpfan.py" "$@"
}

# receive_start NAME OPTIONS...: the report goes to NAME.report.
receive_start()
{
	local name=$1 n
	shift
	n=$(ns_name callee)
	rm -f "$WORK/$name.ready" # of an earlier one
	nsenter --net="/run/netns/$n" "$PYTHON" "$NETNS/rtpfan.py" receive "$WORK/$name.json" "$@" \
		>"$WORK/$name.report" 2>"$WORK/$name.ready" </dev/null &
	RECEIVER_PID=$!
	wait_for 5 grep -q ready "$WORK/$name.ready" && return
	cat "$WORK/$name.ready"
	return 1
}

receive_wait()
{
	wait "$RECEIVER_PID"
}

# send OPTIONS...
send()
{
	ns_run caller "$PYTHON" "$NETNS/rtpfan.py" send "$@" >"$WORK/send.json"
}

# send_start OPTIONS...
send_start()
{
	ns_start caller "$WORK/send.json" "$PYTHON" "$NETNS/rtpfan.py" send "$@"
	SENDER_PID=$LAST_PID
}

# all_arrived NAME: every leg has got all, once, and as its document says.
all_arrived()
{
	field "$WORK/$1.report" has 'total.expected>0' 'total.wrong=0' 'total.duplicates=0' &&
		[ "$(field "$WORK/$1.report" get total.received)" = \
			"$(field "$WORK/$1.report" get total.expected)" ] && return
	cat "$WORK/$1.report"
	return 1
}

# device_count NS DEV rx|tx: packets, as the device counts them.
device_count()
{
	ip -n "$(ns_name "$1")" -j -s link show "$2" |
		"$PYTHON" -c 'import json, sys
print(json.load(sys.stdin)[0]["stats64"][sys.argv[1]]["packets"])' "$3"
}

# forward_offload NAME: the fast path, or why it is not there.
forward_offload()
{
	tandem forward show "$1" | field - get offload
}

# neighbours_known: the relay has found the receivers, so that no packet is punted for that.
neighbours_known()
{
	local program='import socket, sys
for host in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.socket(family, socket.SOCK_DGRAM).sendto(b"", (host, 9))'
	ns_run relay "$PYTHON" -c "$program" 10.77.2.2 fd77:2::2
	wait_for 5 eval "ns_run relay ip neigh show 10.77.2.2 nud reachable | grep -q lladdr"
}

kill_tandem()
{
	kill -KILL "$TANDEM_PID"
	wait "$TANDEM_PID" 2>/dev/null
	! tandem session list
}
