#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Flows have no sockets of their own: two hundred and fifty of them in a process that may have few
# descriptors, each punted at least once, through each datapath. Ports without a flow stay with
# whoever has bound them; and when the controller is killed, all of them do. Without the rights
# for the program, there are sockets as before.
#
#   caller 10.77.1.2:4000 ---- [ relay: tandem ] ---- callee 10.77.2.2:6000, 6002, ...
#          fd77:1::2:4000      16400, 16402, ...           fd77:2::2:6000, ...

. "$(dirname "$0")/forwards.sh"

PORTS=250
ROUNDS=20

scatter()
{
	"$PYTHON" "$NETNS/scatter.py" "$@"
}

# forwards_set FIRST LAST [--six]
forwards_set()
{
	local i
	for ((i = $1; i <= $2; i++)); do
		scatter forward "$i" "${@:3}" | forward_set "f$i${3:-}" || return 1
	done
}

# scattered PORTS ROUNDS [--six]: sent to so many ports; each receiver got all of its packets.
scattered()
{
	rm -f "$WORK/scatter.ready"
	nsenter --net="/run/netns/$(ns_name callee)" "$PYTHON" "$NETNS/scatter.py" receive "$1" "$2" \
		$((30 * ${SLOWER:-1})) "${@:3}" >"$WORK/scatter.json" 2>"$WORK/scatter.ready" </dev/null &
	RECEIVER_PID=$!
	wait_for 5 grep -q ready "$WORK/scatter.ready" || return 1
	ns_run caller "$PYTHON" "$NETNS/scatter.py" send "$@" || return 1
	receive_wait
	cat "$WORK/scatter.json"
	field "$WORK/scatter.json" has "complete=$1" incomplete=0
}

descriptors()
{
	set -- "/proc/$TANDEM_PID/fd/"*
	echo $#
}

# no_more_than COUNT: the connection of the last command may be open for a moment.
no_more_than()
{
	test "$(descriptors)" -le "$1"
}

# heard_by_another PORT: a program on the relay's host has bound it, and hears what comes.
heard_by_another()
{
	local program="import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('10.77.1.2', 4000))
s.sendto(bytes([0x80]) + bytes(171), ('10.77.1.1', int(sys.argv[1])))" pid
	rm -f "$WORK/listen.ready"
	nsenter --net="/run/netns/$(ns_name relay)" "$PYTHON" "$NETNS/scatter.py" listen 10.77.1.1 \
		"$1" 5 >"$WORK/listen.out" 2>"$WORK/listen.ready" </dev/null &
	pid=$!
	wait_for 5 grep -q ready "$WORK/listen.ready" || return 1
	ns_run caller "$PYTHON" -c "$program" "$1"
	wait "$pid"
	[ "$(cat "$WORK/listen.out")" = 172 ]
}

# The forward under the port goes and comes while packets arrive; the others miss nothing.
removed_under_packets()
{
	local i sender
	ns_start caller "$WORK/extra.out" "$PYTHON" "$NETNS/scatter.py" send $((PORTS + 1)) 30
	sender=$LAST_PID
	for ((i = 0; i < 10; i++)); do
		tandem forward remove "f$PORTS" >/dev/null || return 1
		forwards_set "$PORTS" "$PORTS" || return 1
	done
	wait "$sender"
}

# ip_sent COUNTER: of the relay's IPv4, as /proc/net/snmp has it.
ip_sent()
{
	ns_run relay awk -v name="$1" '
		$1 == "Ip:" && !n { for (n = 2; n <= NF && $n != name; n++); next }
		$1 == "Ip:" { print $n }' /proc/net/snmp
}

leave_as_frames()
{
	local before
	before=$(ip_sent OutRequests)
	scattered "$PORTS" "$ROUNDS" || return 1
	echo "$(($(ip_sent OutRequests) - before)) of $((PORTS * ROUNDS)) by the IP layer"
	[ $(($(ip_sent OutRequests) - before)) -lt $((PORTS * ROUNDS / 10)) ]
}

all_through_the_ip_layer()
{
	local before
	before=$(ip_sent OutRequests)
	scattered "$PORTS" 5 || return 1
	[ $(($(ip_sent OutRequests) - before)) -ge $((PORTS * 5)) ]
}

# starts_with MEDIA: with these lines in the configuration.
starts_with()
{
	kill_tandem && MEDIA_EXTRA=${1:-} start_tandem uring
}

# The link gets too narrow for them while they are being forwarded. It has no IPv6 then.
leave_in_fragments()
{
	local before
	before=$(ip_sent FragOKs)
	ip -n "$(ns_name relay)" link set to_callee mtu 150
	scattered "$PORTS" 5 || return 1
	[ $(($(ip_sent FragOKs) - before)) -eq $((PORTS * 5)) ]
}

slow_packets()
{
	tandem stats | field - get slow.forwarded_rtp
}

shares()
{
	local before
	forward_begin
	prlimit --pid "$TANDEM_PID" --nofile=200:200
	before=$(descriptors)
	check "$DATAPATH: $PORTS forwards, and a few more" forwards_set 0 "$PORTS" || return
	check "$DATAPATH: the same over IPv6" forwards_set 0 20 --six
	check "$DATAPATH: no descriptor more than before ($before)" wait_for 5 no_more_than "$before"
	check "$DATAPATH: each packet of each arrives, in order" scattered "$PORTS" "$ROUNDS"
	check "$DATAPATH: over IPv6 too" scattered 20 "$ROUNDS" --six
	# DPDK's worker may have had nothing to punt here.
	[ "$DATAPATH" = dpdk ] ||
		check "$DATAPATH: some were punted" test "$(slow_packets)" -gt 0
	check "$DATAPATH: still none more, but one for the device they leave by" \
		wait_for 5 no_more_than $((before + 1))
	check "$DATAPATH: flows go and come under their packets" removed_under_packets
	check "$DATAPATH: and all others go on" scattered "$PORTS" 5
	if [ "$DATAPATH" = uring ]; then
		check "a port without a flow is whose it is" heard_by_another 17000
		check "the controller is killed" kill_tandem
		check "all ports are whose they are" heard_by_another 16400
		check "it starts again" tandem_launch || return
		check "and has its forwards again" scattered "$PORTS" 5
		check_not "a port with a flow is the relay's" heard_by_another 16400
		check "packets leave as frames, and not through the host's IP layer" leave_as_frames
		check "it starts without frames" starts_with 'frames: off' || return
		check "and all packets leave through the host's IP layer" all_through_the_ip_layer
		check "it starts with frames" starts_with || return
		check "and what has to be fragmented leaves by the IP layer" leave_in_fragments
	fi
}

# without_rights COMMAND...: root, but with nothing that loading a program needs.
without_rights()
{
	ns_run relay setpriv --bounding-set="${LESS:--bpf,-sys_admin}" "$@"
}

unprivileged()
{
	DATAPATH=uring
	topology_up || tap_bail "topology"
	tandem_config uring >"$WORK/tandem.yaml"
	check "doctor says that ports share sockets" eval \
		"ns_run relay $TANDEM doctor -c $WORK/tandem.yaml | tr -s '\n ' ' ' | grep -q 'all ports share a few sockets'"
	check "and why they cannot" eval \
		"without_rights $TANDEM doctor -c $WORK/tandem.yaml | tr -s '\n ' ' ' | grep -q 'a socket for each port (no sk_lookup program'"
	LESS=-net_raw check "nor without raw sockets" eval \
		"without_rights $TANDEM doctor -c $WORK/tandem.yaml | tr -s '\n ' ' ' | grep -q 'a socket for each port (no raw sockets'"
	TANDEM_RUNS=$((TANDEM_RUNS + 1))
	ns_start relay "$WORK/tandem.log.$TANDEM_RUNS" setpriv --bounding-set=-bpf,-sys_admin \
		"$TANDEM" run -c "$WORK/tandem.yaml"
	TANDEM_PID=$LAST_PID
	ln -sf "tandem.log.$TANDEM_RUNS" "$WORK/tandem.log"
	check "without rights: tandem starts" wait_for 10 tandem session list || return
	check "without rights: one line says why" test \
		"$(grep -c 'a socket for each media port' "$WORK/tandem.log")" -eq 1
	check "without rights: forwards" forwards_set 0 20
	check "without rights: each packet arrives" scattered 20 "$ROUNDS"
}

test_begin 400 setpriv prlimit
need_tandem
each_datapath shares
topology_down
unprivileged
tap_done
