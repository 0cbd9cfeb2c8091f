# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a datapath asks of the relay's host. Sourced by lib.sh; DATAPATH says which one.
#
# auto, xdp, kmod, uring: the relay's kernel has the links.
#
#   caller phone0 ---- to_caller [ relay: tandem ] to_callee ---- phone0 callee
#
# dpdk: they are the worker's, as NICs of its own would be, and the kernel gets of them what the
# worker punts. The NICs have no address and do not answer ARP.
#
#   caller phone0 ---- nic_caller [ af_packet: tandem-dpdk :af_packet ] nic_callee ---- phone0 callee
#                                  |                       |
#                       tap to_caller 10.77.1.1    tap to_callee 10.77.2.1
#                                  |  the kernel: ARP, SIP  |

WORKER=${WORKER:-$(dirname "$TANDEM")/tandem-dpdk}
WORKER_PID=
declare -a RELAY_LINKS=()

# datapath_missing: what keeps this machine from running DATAPATH, in words; false: nothing does.
datapath_missing()
{
	case ${DATAPATH:-auto} in
	dpdk)
		[ -x "$WORKER" ] || { echo "$WORKER is not built (install dpdk-dev, make dpdk)" && return; }
		[ -c /dev/net/tun ] || { echo "needs /dev/net/tun" && return; }
		;;
	kmod)
		[ -d /sys/module/tandem ] || { echo "the kernel module is not loaded" && return; }
		;;
	auto | xdp)
		command -v clang-16 >/dev/null || { echo "needs clang-16" && return; }
		;;
	uring) ;;
	*) echo "there is no datapath \"$DATAPATH\"" && return ;;
	esac
	return 1
}

# each_datapath FUNCTION: call it with DATAPATH set to each of DATAPATHS in turn, in namespaces of
# its own. One that cannot run here is named as skipped.
each_datapath()
{
	local missing
	# shellcheck disable=SC2153
	for DATAPATH in ${DATAPATHS:-xdp uring dpdk}; do
		if missing=$(datapath_missing); then
			tap_ok "$DATAPATH # SKIP $missing"
			echo "SKIPPED $(basename "$0"), $DATAPATH: $missing" >&2
			continue
		fi
		tap_note "datapath $DATAPATH"
		"$1"
		topology_down
	done
}

# relay_link NS DEV NAME: a link from there to the relay, which calls its device to_NAME.
relay_link()
{
	RELAY_LINKS+=("$3")
	if [ "${DATAPATH:-auto}" != dpdk ]; then
		link_add "$1" "$2" relay "to_$3" || return 1
	else
		link_add "$1" "$2" relay "nic_$3" &&
			ns_run relay sysctl -qw "net.ipv6.conf.nic_$3.disable_ipv6=1" &&
			ip -n "$(ns_name relay)" link set "nic_$3" arp off || return 1
	fi
	case ${DATAPATH:-auto} in
	auto | xdp) xdp_pass_on "$1" "$2" ;;
	esac
}

# relay_links_ready: after the last relay_link; to_NAME can then be given addresses.
relay_links_ready()
{
	local name
	[ "${DATAPATH:-auto}" = dpdk ] || return 0
	if ! worker_start; then
		tap_note "$(tail -n 15 "$WORK/worker.log")"
		return 1
	fi
	for name in "${RELAY_LINKS[@]}"; do
		ip -n "$(ns_name relay)" link set "to_$name" up || return 1
	done
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

# worker_device N NIC: the driver for it, which is to be WORKER_DRIVER.
worker_device()
{
	if [ "${WORKER_DRIVER:-af_packet}" = pcap ]; then
		echo "net_pcap$1,rx_iface_in=$2,tx_iface=$2"
	else
		echo "net_af_packet$1,iface=$2,qpairs=2"
	fi
}

worker_start()
{
	local i taps='' devices=()
	for i in "${!RELAY_LINKS[@]}"; do
		taps+="${taps:+,}$i=tap:to_${RELAY_LINKS[i]}"
		devices+=(--vdev "$(worker_device "$i" "nic_${RELAY_LINKS[i]}")")
	done
	ns_start relay "$WORK/worker.log" "$WORKER" -s "$WORK/dpdk.sock" -i 50 -x "$taps" -- \
		--no-huge --no-shconf --no-pci --no-telemetry -m 256 --iova-mode=va \
		--lcores "$(lcores)" --log-level=error "${devices[@]}"
	WORKER_PID=$LAST_PID
	wait_for 15 grep -q 'ready at' "$WORK/worker.log"
}

# datapath_config: what DATAPATH adds to the configuration.
datapath_config()
{
	[ "$1" != dpdk ] || echo "dpdk: {socket: $WORK/dpdk.sock}"
}

# relay_interfaces: the relay's devices as a YAML list.
relay_interfaces()
{
	local list
	printf -v list ', to_%s' "${RELAY_LINKS[@]}"
	echo "[${list#, }]"
}

# fast_or_slow: which of the two columns of `stats` counts what DATAPATH forwards.
fast_or_slow()
{
	if [ "$1" = uring ]; then
		echo slow
	else
		echo fast
	fi
}
