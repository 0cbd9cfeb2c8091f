#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real call, to look at: two baresip phones register with tandem, alice calls
# bob, both play audio, and while they talk tandem shows what it knows of the call.
#
#   alice (baresip) ---- 10.77.1.1 [ relay: tandem, no IP forwarding ] 10.77.2.1 ---- bob (baresip)
#
# Status 0 only if both heard the other, sample for sample, and the datapath asked for (auto:
# the one that was chosen) forwarded at least 99 % of the RTP packets that left the phones,
# counted from the first.
#
# Of the three hosts only topology_up, ns_run and ns_start (lib.sh, datapath.sh) know that they
# are network namespaces; what follows needs three hosts with these addresses and names.
# Usage: demo.sh [SECONDS [auto|xdp|kmod|dpdk|uring]]

. "$(dirname "$0")/lib.sh"
SECONDS_OF_CALL=${1:-8}
DATAPATH=${2:-${DATAPATH:-auto}}
BOLD='' PLAIN=''
[ ! -t 1 ] || BOLD=$'\033[1m' PLAIN=$'\033[0m'

die()
{
	echo "demo: $*" >&2
	show_logs >&2
	exit 1
}

step()
{
	printf '\n%s== %s%s\n' "$BOLD" "$*" "$PLAIN"
}

# rtp_sent PHONE: RTP packets that the phone's own interface sent to the relay.
rtp_sent()
{
	tshark -r "$WORK/$1.pcap" -d udp.port==10000-10100,rtp -n -Y "rtp && ip.src==$2" \
		-T fields -e rtp.seq 2>/dev/null | wc -l
}

cli()
{
	timeout 5 "$TANDEM" "$@" --socket "$SOCK"
}

# sound_at PHONE ADDRESS: the file with what PHONE has heard. On a SLOWER machine it is what was sent to
# it: baresip forgets what comes ahead of the ACK, and there that is some packets.
sound_at()
{
	if [ -z "${SLOWER:-}" ]; then
		heard "$1"
	else
		"$PYTHON" "$TESTS/kmod/sound.py" take "$WORK/$1.pcap" dst "$2" >"$WORK/$1.al"
		echo "$WORK/$1.al"
	fi
}

verdict()
{
	local sent forwarded share stats=$WORK/stats.json name
	sent=$(($(rtp_sent alice 10.77.1.2) + $(rtp_sent bob 10.77.2.2)))
	tandem stats >"$stats" || die "tandem does not answer"
	name=$(field "$stats" get datapath)
	forwarded=$(field "$stats" get "$(fast_or_slow "$name").forwarded_rtp")
	[ "$sent" -gt 0 ] || die "the phones sent no RTP"
	share=$(awk -v f="$forwarded" -v s="$sent" 'BEGIN {printf "%.2f", 100 * f / s}')
	echo "RTP packets sent by the phones:  $sent"
	printf 'forwarded by %-20s%s (%s %%)\n' "$name:" "$forwarded" "$share"
	"$TOOLS/g711cmp" --law a --min 8000 "$WORK/alice.wav" "$(sound_at bob 10.77.2.2)" ||
		die "bob did not hear what alice played"
	"$TOOLS/g711cmp" --law a --min 8000 "$WORK/bob.wav" "$(sound_at alice 10.77.1.2)" ||
		die "alice did not hear what bob played"
	echo "audio compared sample for sample: alice -> bob ok, bob -> alice ok"
	awk -v f="$forwarded" -v s="$sent" 'BEGIN {exit !(f >= 0.99 * s)}' ||
		die "less than 99 % of the packets were forwarded by $name"
	printf '\nThe call crossed the relay: SIP through the controller, audio through %s.\n' "$name"
}

if [ -z "${TANDEM_DEMO_BOUND:-}" ]; then
	TANDEM_DEMO_BOUND=1 exec timeout -k 10 120 bash "$0" "$@"
fi
[ "$(id -u)" -eq 0 ] || die "needs root"
for tool in ip ethtool nsenter baresip tshark tcpdump; do
	command -v "$tool" >/dev/null || die "needs $tool (make deps)"
done
! missing=$(datapath_missing) || die "$DATAPATH: $missing"
WORK=$(mktemp -d "/tmp/tandem-demo-$UNIQ-XXXXXX")
SOCK=$WORK/control.sock
trap test_cleanup EXIT
trap 'exit 130' INT TERM
cd "$WORK" || exit 1

step "Three hosts: caller, relay, callee"
topology_up || die "cannot build the namespaces"
echo "alice 10.77.1.2 --- 10.77.1.1 relay 10.77.2.1 --- 10.77.2.2 bob   (the relay routes nothing)"

step "tandem starts on the relay"
start_tandem "$DATAPATH" || die "tandem does not start"
cat "$WORK/tandem.log"

step "The phones register"
capture_start caller phone0 "$WORK/alice.pcap" || die "cannot capture"
alice_capture=$CAPTURE_PID
capture_start callee phone0 "$WORK/bob.pcap" || die "cannot capture"
bob_capture=$CAPTURE_PID
PHONE_ANSWER=auto phone_start callee bob || die "bob's phone does not start"
phone_start caller alice || die "alice's phone does not start"
phone_registered bob 20 || die "bob is not registered"
phone_registered alice 20 || die "alice is not registered"
echo "sip:alice@example.test and sip:bob@example.test are registered"

step "alice calls bob"
phone alice dial sip:bob@example.test
phone_event alice 20 CALL_ESTABLISHED || die "the call is not established"
for ((i = 0; i < SECONDS_OF_CALL; i += 2)); do
	sleep 2
	cli session list || die "tandem does not answer"
	echo
done

step "What tandem knows of the call"
session=$(session_ids | head -n 1)
[ -n "$session" ] || die "no session"
cli session show "$session"
session_has 'verdict=two-way' || die "the verdict is not two-way"

step "alice hangs up"
phone alice hangup
wait_for 20 session_count_is 0 || die "the session is still there"
sleep 0.3
capture_stop "$alice_capture"
capture_stop "$bob_capture"
stop_pid "$PHONE_PID"
verdict
