#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A call whose media the DPDK worker carries, as it would on NICs that are its own:
#
#   caller phone0 ---- nic_caller [ af_packet: tandem-dpdk :af_packet ] nic_callee ---- phone0 callee
#                                  |                       |
#                       tap to_caller 10.77.1.1    tap to_callee 10.77.2.1
#                                  |  the kernel: ARP, SIP  |
#
# The NICs have no address, and do not answer ARP: what the kernel gets of them it gets
# from the worker, through the taps. The controller is killed and started again besides.

# shellcheck source=/dev/null
. "$(dirname "$0")/../netns/calls.sh"
# shellcheck disable=SC2034
DATAPATH=dpdk
# shellcheck disable=SC2034
AUDIO_PORT=7000
SIPP_TIMEOUT=40
WORKER=$ROOT/build/tandem-dpdk

nic_add()
{
	link_add "$1" phone0 relay "nic_$1" || return 1
	ns_run relay sysctl -qw "net.ipv6.conf.nic_$1.disable_ipv6=1" &&
		ip -n "$(ns_name relay)" link set "nic_$1" arp off
}

tap_up()
{
	ip -n "$(ns_name relay)" link set "to_$1" up && addr_add relay "to_$1" "$2" "$3"
}

# lcores: control and two workers, on whatever CPUs there are.
lcores()
{
	local last=$(($(nproc) - 1))
	if [ "$last" -eq 0 ]; then
		echo "0@0,1@0,2@0"
	else
		echo "0@(0-$last),1@(0-$last),2@(0-$last)"
	fi
}

worker_start()
{
	ns_start relay "$WORK/worker.log" "$WORKER" -s "$WORK/dpdk.sock" -i 50 \
		-x 0=tap:to_caller,1=tap:to_callee -- \
		--no-huge --no-shconf --no-pci --no-telemetry -m 256 --iova-mode=va \
		--lcores "$(lcores)" --log-level=error \
		--vdev net_af_packet0,iface=nic_caller,qpairs=2 \
		--vdev net_af_packet1,iface=nic_callee,qpairs=2
	WORKER_PID=$LAST_PID
	wait_for 15 grep -q 'ready at' "$WORK/worker.log"
}

topology_up()
{
	local n
	YAML_EXTRA="dpdk: {socket: $WORK/dpdk.sock}"
	for n in caller relay callee; do
		ns_add "$n" || return 1
	done
	nic_add caller && nic_add callee || return 1
	addr_add caller phone0 10.77.1.2/24 10.77.1.9/24 fd77:1::2/64
	addr_add callee phone0 10.77.2.2/24 10.77.2.9/24 fd77:2::2/64
	ip -n "$(ns_name caller)" route add default via 10.77.1.1
	ip -n "$(ns_name callee)" route add default via 10.77.2.1
	ns_run relay sysctl -qw net.ipv4.ip_forward=0
	if ! worker_start; then
		tap_note "$(tail -n 15 "$WORK/worker.log")"
		return 1
	fi
	tap_up caller 10.77.1.1/24 fd77:1::1/64 && tap_up callee 10.77.2.1/24 fd77:2::1/64
}

doctor_reaches()
{
	ns_run relay "$TANDEM" doctor -c "$WORK/tandem.yaml" | grep -q "dpdk *usable *worker at"
}

# strange FROM SSRC
strange()
{
	ns_run caller "$TOOLS/rtpphone" --bind "$1" --to "$A_RELAY" --count 50 --ptime 2 \
		--ssrc "$2" --linger 100 >"$WORK/stranger.json"
	field "$WORK/stranger.json" has sent=50
}

if [ ! -x "$WORKER" ]; then
	tap_skip_all "$WORKER is not built (install dpdk-dev and run make dpdk)"
fi
if [ ! -c /dev/net/tun ]; then
	tap_skip_all "needs /dev/net/tun"
fi

relay_begin 90
call_start uac_quiet uas_answer -d 11000
call_answered
media_both_start 400 --rtcp 500
check "audio flows" wait_for 4 session_has 'flows.+.packets>60'
check "the flows are in the worker" field "$WORK/live.json" has \
	'flows.*.offload=dpdk' 'flows.+.fast_packets>60'
check "a stranger sends from another address" strange 10.77.1.9:7000 0xdead0001
check "a stranger sends from another port" strange 10.77.1.2:7002 0xdead0002
check "the strangers are counted" session_has 'flows.+.unknown_source=100'
check "the worker counts them too" eval \
	"timeout 5 '$TANDEM' stats --socket '$SOCK' --json | grep -q '\"unknown_source\": *100'"
check "the doctor reaches the worker besides" doctor_reaches
id=$(session_ids)
kill -KILL "$TANDEM_PID"
wait "$TANDEM_PID" 2>/dev/null
check_not "the controller is gone" tandem session list
sleep 2 # dead air for the controller; the packets must not notice
check "tandem starts again" tandem_launch || tap_done
check "it took over the worker's flows" grep -q 'took over 4 flows' "$WORK/tandem.log"
check "it knows the call" session_has "id=$id" state=established 'flows.*.offload=dpdk'
media_both_wait
media_exact 400 "over the restart"
check "RTCP passes" field "$WORK/b.json" has 'rtcp_received>1'
check "no stranger is heard" test "$(field "$WORK/b.json" get 'streams.*.ssrc' | xargs)" = 0xa11ce001
check "counters went on" session_has 'flows.+.packets>=800' 'streams.*.lost=0'
check "the worker forwarded all but the first few" session_has 'flows.+.fast_packets>=790'
call_ended
relay_ends
check "the worker stops when told to" eval "kill -TERM $WORKER_PID; wait $WORKER_PID"
tap_note "$(grep 'ns each' "$WORK/worker.log")"
tap_done
