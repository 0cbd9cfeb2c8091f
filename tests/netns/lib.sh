# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Namespaces, phones and TAP for the end-to-end scripts. Sourced, never run.
#
#   +----------- caller ----------+   +------------- relay -------------+   +---------- callee -----------+
#   | phone0  10.77.1.2/24        |---| to_caller  10.77.1.1/24         |   |                             |
#   |         10.77.1.9/24 (other)|   |            fd77:1::1/64         |   |                             |
#   |         fd77:1::2/64        |   | to_callee  10.77.2.1/24         |---| phone0  10.77.2.2/24        |
#   +-----------------------------+   |            fd77:2::1/64         |   |         10.77.2.9/24 (other)|
#                                     | no forwarding: only tandem      |   |         fd77:2::2/64        |
#                                     | carries anything across         |   +-----------------------------+
#                                     +---------------------------------+
#
# With `topology_up impair` a fourth namespace sits on the caller's link:
#
#   caller phone0 --- near [ impair ] far --- to_caller relay
#
# With `topology_up backup` there is a second way to the callee:
#
#   relay to_backup 10.77.3.1/24 --- phone1 10.77.3.2/24 callee
#
# These are the links of every datapath but dpdk, for which datapath.sh has a drawing.
# Every test process has its own namespaces (suffix = its pid), so scripts can
# run side by side. Needs root and: iproute2, ethtool, clang-16, sipp, tshark.

set -u

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=$(cd "$TESTS/.." && pwd)
TANDEM=${TANDEM:-$ROOT/build/tandem}
TOOLS=${TOOLS:-$ROOT/build/tests/tools}
SIP=$TESTS/sip
NETNS=$TESTS/netns
PYTHON=${PYTHON:-/usr/bin/python3}
[ -x "$PYTHON" ] || PYTHON=python3
UNIQ=$$
WORK=
SOCK=
BPF_DIR=/sys/fs/bpf/tandem-$UNIQ
TANDEM_PID=
TAP_COUNT=0
TAP_FAILED=0
declare -a SPACES=()

# ---- TAP ------------------------------------------------------------------

tap_ok()
{
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $*"
}

tap_fail()
{
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_COUNT - $*"
}

tap_note()
{
	sed 's/^/# /' <<<"$*"
}

# check DESCRIPTION COMMAND...: one TAP line, from the exit status.
check()
{
	local what=$1 rc
	shift
	# not in a subshell: what a check starts must stay this shell's to stop
	"$@" >"$WORK/check.out" 2>&1
	rc=$?
	if [ $rc -eq 0 ]; then
		tap_ok "$what"
	else
		tap_fail "$what"
		tap_note "status $rc: $*"
		[ ! -s "$WORK/check.out" ] || tap_note "$(tail -n 15 "$WORK/check.out")"
	fi
	return $rc
}

# check_not DESCRIPTION COMMAND...: passes when the command fails.
check_not()
{
	local what=$1
	shift
	check "$what" not "$@"
}

not()
{
	! "$@"
}

# tap_skip_all REASON: the whole script cannot run here.
tap_skip_all()
{
	echo "1..0 # SKIP $*"
	echo "SKIPPED $(basename "$0"): $*" >&2
	exit 0
}

# tap_bail WHAT: a step without which the rest makes no sense.
tap_bail()
{
	tap_fail "$*"
	tap_done
}

tap_done()
{
	echo "1..$TAP_COUNT"
	[ "$TAP_FAILED" -eq 0 ] || show_logs
	[ "$TAP_FAILED" -eq 0 ]
	exit $?
}

show_logs()
{
	local f
	for f in "$WORK"/tandem.log "$WORK"/*_errors.log; do
		[ -s "$f" ] || continue
		echo "# ---- $(basename "$f")"
		tail -n 25 "$f" | cut -c1-200 | sed 's/^/# /'
	done
}

# ---- life of a script -----------------------------------------------------

# What the script was started with.
SCRIPT_ARGS=("$@")

# test_begin SECONDS TOOL...: bounds the script in time, checks what it needs,
# and arranges that everything it starts goes away with it.
test_begin()
{
	local limit=$1 tool
	shift
	if [ -z "${TANDEM_TEST_BOUND:-}" ]; then
		TANDEM_TEST_BOUND=1 exec timeout -k 10 "$limit" bash "$0" "${SCRIPT_ARGS[@]}"
	fi
	unset TANDEM_TEST_BOUND
	[ "$(id -u)" -eq 0 ] || tap_skip_all "needs root"
	for tool in ip ethtool nsenter "$@"; do
		command -v "$tool" >/dev/null || tap_skip_all "needs $tool"
	done
	WORK=$(mktemp -d "/tmp/tandem-test-$UNIQ-XXXXXX")
	SOCK=$WORK/control.sock
	trap test_cleanup EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	cd "$WORK" || exit 1
}

need_tandem()
{
	[ -x "$TANDEM" ] || tap_skip_all "$TANDEM is not built (run make all)"
}

need_tool()
{
	local t
	for t in "$@"; do
		[ -x "$TOOLS/$t" ] || tap_skip_all "$TOOLS/$t is not built (run make test-tools)"
	done
}

alive()
{
	local s
	s=$(ps -o stat= -p "$1" 2>/dev/null) && [ "${s:0:1}" != Z ]
}

# stop_pid PID [SIGNAL]: signal, wait up to three seconds, then insist. Only what
# is still a job of this shell: a number alone may have been given to another.
stop_pid()
{
	local pid=$1 i
	grep -qx "$pid" <<<"$(jobs -p)" || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
	for ((i = 0; i < 60; i++)); do
		alive "$pid" || break
		sleep 0.05
	done
	kill -KILL "$pid"
	wait "$pid"
	return 0
} 2>/dev/null

# sanitizers_quiet: with TANDEM=build/tandem.asan, what the sanitizers say fails the
# script, whatever its checks say: a leak is only known when tandem has ended.
sanitizers_quiet()
{
	grep -hE -A 30 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$WORK"/tandem.log.* \
		2>/dev/null | head -n 100 | sed 's/^/# /' | tee "$WORK/sanitizers"
	[ ! -s "$WORK/sanitizers" ]
}

test_cleanup()
{
	local rc=$? p n
	trap - EXIT TERM INT
	cd /
	for p in $(jobs -p); do
		kill -TERM "$p" 2>/dev/null
	done
	for p in $(jobs -p); do
		stop_pid "$p"
	done
	sanitizers_quiet || rc=1
	for n in "${SPACES[@]}"; do
		ip netns del "$n" 2>/dev/null
	done
	rm -rf "$BPF_DIR"
	if [ -n "${KEEP:-}" ]; then
		echo "# kept: $WORK"
	else
		rm -rf "$WORK"
	fi
	exit $rc
}

# wait_for SECONDS COMMAND...: poll until it succeeds, bounded; on a machine that is
# SLOWER than others by some factor, later.
wait_for()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000 * ${SLOWER:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# ---- namespaces -----------------------------------------------------------

ns_name()
{
	echo "tandem-$1-$UNIQ"
}

# ns_run NAME COMMAND...: in the foreground. `ip netns exec` would hide bpffs.
ns_run()
{
	local n
	n=$(ns_name "$1")
	shift
	nsenter --net="/run/netns/$n" "$@"
}

# ns_start NAME LOG COMMAND...: in the background; its pid is in LAST_PID and
# is stopped at the end. nsenter execs, so the pid is the command's own.
ns_start()
{
	local n log=$2
	n=$(ns_name "$1")
	shift 2
	nsenter --net="/run/netns/$n" "$@" >"$log" 2>&1 </dev/null &
	LAST_PID=$!
}

ns_add()
{
	local n
	n=$(ns_name "$1")
	ip netns add "$n" || return 1
	SPACES+=("$n")
	ip -n "$n" link set lo up
	# link-local addresses that are tentative for a second hold up neighbour discovery
	nsenter --net="/run/netns/$n" sysctl -qw \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
}

# addr_add NS DEV ADDRESS...
addr_add()
{
	local n dev=$2 a
	n=$(ns_name "$1")
	shift 2
	for a in "$@"; do
		case $a in
		*:*) ip -n "$n" addr add "$a" dev "$dev" nodad ;;
		*) ip -n "$n" addr add "$a" dev "$dev" ;;
		esac
	done
}

# link_add NS_A DEV_A NS_B DEV_B: a veth pair that computes its checksums, so
# that a frame can be redirected or bridged without the kernel's help.
link_add()
{
	local a b
	a=$(ns_name "$1")
	b=$(ns_name "$3")
	ip link add "$2" netns "$a" type veth peer name "$4" netns "$b" || return 1
	ns_run "$1" ethtool -K "$2" tx off gso off gro off tso off >/dev/null 2>&1
	ns_run "$3" ethtool -K "$4" tx off gso off gro off tso off >/dev/null 2>&1
	ip -n "$a" link set "$2" up
	ip -n "$b" link set "$4" up
}

# xdp_pass_on NS DEV: what native redirect into the peer of DEV asks for.
xdp_pass_on()
{
	local obj=$ROOT/build/tests/bpf/xdp_pass.bpf.o src=$TESTS/bpf/xdp_pass.bpf.c
	if [ ! -e "$obj" ] || [ "$src" -nt "$obj" ]; then
		mkdir -p "$(dirname "$obj")"
		clang-16 -O2 -g -target bpf -I"/usr/include/$(gcc -dumpmachine)" \
			-c "$src" -o "$obj.$UNIQ" && mv "$obj.$UNIQ" "$obj" || return 1
	fi
	ns_run "$1" ip link set dev "$2" xdpdrv obj "$obj" sec xdp
}

# topology_up [impair] [backup] [forward]: `forward` lets the relay's kernel route, for
# proving the phones without tandem.
topology_up()
{
	local want=" $* " n
	for n in caller relay callee; do
		ns_add "$n" || return 1
	done
	RELAY_LINKS=()
	if [[ $want == *" impair "* ]]; then
		ns_add impair || return 1
		link_add caller phone0 impair near || return 1
		relay_link impair far caller || return 1
		ns_run impair sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	else
		relay_link caller phone0 caller || return 1
	fi
	relay_link callee phone0 callee || return 1
	if [[ $want == *" backup "* ]]; then
		relay_link callee phone1 backup || return 1
		addr_add callee phone1 10.77.3.2/24
	fi
	relay_links_ready || return 1
	[[ $want != *" backup "* ]] || addr_add relay to_backup 10.77.3.1/24
	addr_add relay to_caller 10.77.1.1/24 fd77:1::1/64
	addr_add relay to_callee 10.77.2.1/24 fd77:2::1/64
	addr_add caller phone0 10.77.1.2/24 10.77.1.9/24 fd77:1::2/64 fd77:1::9/64
	addr_add callee phone0 10.77.2.2/24 10.77.2.9/24 fd77:2::2/64 fd77:2::9/64
	ip -n "$(ns_name caller)" route add default via 10.77.1.1
	ip -n "$(ns_name caller)" -6 route add default via fd77:1::1
	ip -n "$(ns_name callee)" route add default via 10.77.2.1
	ip -n "$(ns_name callee)" -6 route add default via fd77:2::1
	n=0
	[[ $want == *" forward "* ]] && n=1
	ns_run relay sysctl -qw net.ipv4.ip_forward=$n net.ipv6.conf.all.forwarding=$n
}

# topology_down: for a script that builds its hosts more than once.
topology_down()
{
	local p n
	for p in $(jobs -p); do
		stop_pid "$p"
	done
	for n in "${SPACES[@]}"; do
		ip netns del "$n"
	done
	SPACES=()
	rm -rf "$BPF_DIR"
}

# ---- tandem ---------------------------------------------------------------

# tandem_config [DATAPATH]: stdin is appended as further YAML.
tandem_config()
{
	cat <<-EOF
		datapath: ${1:-auto}
		control_socket: $SOCK
		database: $WORK/tandem.db
		bpf_dir: $BPF_DIR
		media:
		  addresses:
		    - {address: 10.77.1.1, name: caller}
		    - {address: 10.77.2.1, name: callee}
		    - {address: "fd77:1::1", name: caller}
		    - {address: "fd77:2::1", name: callee}
		  interfaces: $(relay_interfaces)
		  port_min: 16384
		  port_max: ${PORT_MAX:-17407}
		  ${MEDIA_EXTRA:-}
		sip:
		  listen:
		    - "udp:10.77.1.1:5060"
		    - "tcp:10.77.1.1:5060"
		    - "udp:10.77.2.1:5060"
		    - "tcp:10.77.2.1:5060"
		    - "udp:[fd77:1::1]:5060"
		    - "tcp:[fd77:1::1]:5060"
		    - "udp:[fd77:2::1]:5060"
		    - "tcp:[fd77:2::1]:5060"
		    ${LISTEN_EXTRA:-}
		  domains: [example.test]
		  ${SIP_EXTRA:-}
	EOF
	datapath_config "${1:-auto}"
	[ -z "${YAML_EXTRA:-}" ] || printf '%s\n' "$YAML_EXTRA"
}

tandem_launch()
{
	ns_start relay "$WORK/tandem.log.$((++TANDEM_RUNS))" "$TANDEM" run -c "$WORK/tandem.yaml"
	TANDEM_PID=$LAST_PID
	ln -sf "tandem.log.$TANDEM_RUNS" "$WORK/tandem.log"
	wait_for 60 tandem session list # programs are verified, which takes its time on a busy machine
}
TANDEM_RUNS=0

# start_tandem [DATAPATH]: MEDIA_EXTRA is one more line under `media:`, SIP_EXTRA under
# `sip:`, LISTEN_EXTRA under `listen:` of that, YAML_EXTRA further top-level YAML, PORT_MAX. True once the control socket answers.
start_tandem()
{
	tandem_config "${1:-${DATAPATH:-auto}}" >"$WORK/tandem.yaml"
	tandem_launch
}

# tandem COMMAND [SUBCOMMAND] ARGS...: the CLI, as JSON on stdout.
tandem()
{
	timeout 5 "$TANDEM" "$@" --socket "$SOCK" --json
}

# field FILE_OR_- PATH...: read values from tandem's JSON; see session.py.
field()
{
	"$PYTHON" "$NETNS/session.py" "$@"
}

# session_ids: ids of the sessions the relay holds, one a line.
session_ids()
{
	tandem session list | field - ids
}

session_count_is()
{
	[ "$(tandem session list | field - count)" = "$1" ]
}

# session_save FILE [ID]: `session show` of ID or of the only session.
session_save()
{
	local id=${2:-}
	rm -f "$1"
	[ -n "$id" ] || id=$(session_ids | head -n 1)
	[ -n "$id" ] || return 1
	tandem session show "$id" >"$1"
}

# session_has CONDITION...: true when the live session fulfils all of them.
session_has()
{
	session_save "$WORK/live.json" && field "$WORK/live.json" has "$@"
}

# ---- captures -------------------------------------------------------------

# capture_start NS DEV FILE: UDP only; returns when it is really capturing.
capture_start()
{
	ns_start "$1" "$3.log" tcpdump -i "$2" -n -U -Z root --immediate-mode -s 0 -B 8192 --time-stamp-precision nano \
		-w "$3" "${4:-udp}"
	CAPTURE_PID=$LAST_PID
	wait_for 5 grep -q 'listening on' "$3.log"
}

# capture_stop [PID]: SIGINT lets tcpdump write its last packets.
capture_stop()
{
	sleep 0.1
	stop_pid "${1:-$CAPTURE_PID}" INT
}

judge()
{
	"$PYTHON" "$NETNS/judge.py" "$@"
}

# audio_pcap [PACKETS]: the G.711 that sipp plays, cut to a test's length (30 ms each).
audio_pcap()
{
	editcap -r /usr/share/sip-tester/g711a.pcap "$WORK/audio.pcap" "1-${1:-100}" ||
		tap_skip_all "needs /usr/share/sip-tester/g711a.pcap and editcap"
}

# ---- the bad network ------------------------------------------------------

# impair_start REPORT OPTIONS...: needs `topology_up impair`; without options it
# is a clean bridge. Direction ab is caller to relay.
impair_start()
{
	local report=$1
	shift
	nsenter --net="/run/netns/$(ns_name impair)" "$TOOLS/impair" -a near -b far "$@" \
		>"$report" 2>"$report.log" </dev/null &
	IMPAIR_PID=$!
	wait_for 5 grep -q running "$report.log"
}

impair_stop()
{
	stop_pid "$IMPAIR_PID"
}

. "$NETNS/datapath.sh"
. "$NETNS/phones.sh"
