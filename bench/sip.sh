#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls with anchored media a second, and what a call costs: tandem, and Kamailio with rtpengine
# (in userspace), one after the other, in each of several rounds. As root, in namespaces of its own.
#
#   bench/sip.sh [rates]   the cost of a call, and the highest rate without a failed call
#   bench/sip.sh hold      calls that are held at the same time, and registrations that are refreshed
#   bench/sip.sh soak      calls that come and go for SOAK_S: nothing may grow
#
#   caller: sipp --- the server under test --- callee: sipp
#
# ROUNDS (3), SECONDS_EACH (8), RATES ("100 200 400 600 800 1000"), CALLS (10000), SOAK_S (600),
# SERVERS ("tandem kamailio"), TANDEM, TOOLS. Prints a line of JSON for each result.

. "$(dirname "${BASH_SOURCE[0]}")/../tests/netns/calls.sh"
: "${ROUNDS:=3}" "${SECONDS_EACH:=8}" "${RATES:=100 200 400 600 800 1000}" "${CALLS:=10000}"
: "${SOAK_RATE:=100}" "${SOAK_S:=600}" "${SERVERS:=tandem kamailio}"
NG=127.0.0.1:2223

# kamailio_config: the same work as tandem does: Record-Route, media anchored, both families of SDP left alone.
kamailio_config()
{
	cat <<-'EOF'
		debug=0
		log_stderror=yes
		children=2
		disable_tcp=yes
		auto_aliases=no
		mhomed=1
		listen=udp:10.77.1.1:5060
		listen=udp:10.77.2.1:5060
		loadmodule "tm.so"
		loadmodule "sl.so"
		loadmodule "pv.so"
		loadmodule "rr.so"
		loadmodule "maxfwd.so"
		loadmodule "siputils.so"
		loadmodule "textops.so"
		loadmodule "rtpengine.so"
		modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:2223")
		modparam("rr", "enable_double_rr", 1)
		request_route {
			if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
			if (is_method("CANCEL")) {
				if (t_check_trans()) { rtpengine_delete(); t_relay(); }
				exit;
			}
			if (has_totag()) {
				if (!loose_route()) { sl_send_reply("404", "Not Here"); exit; }
				if (is_method("BYE")) rtpengine_delete();
				t_relay();
				exit;
			}
			if (!is_method("INVITE")) { sl_send_reply("405", "No"); exit; }
			record_route();
			rtpengine_offer("replace-origin direction=a direction=b");
			t_on_reply("ANSWER");
			$du = "sip:10.77.2.2:5060";
			t_relay();
		}
		onreply_route[ANSWER] {
			if (status =~ "2[0-9][0-9]" && has_body("application/sdp"))
				rtpengine_answer("replace-origin");
		}
	EOF
}

# What is up, by pid; their threads count with them.
SERVER_PIDS=()

tandem_up()
{
	SIP_EXTRA="trusted: [10.77.0.0/16]
  max_transactions: 200000
  max_registrations: 200000"
	# two ports a call on each address; clear of those that the host gives to clients
	PORT_MAX=57343
	ns_run relay sysctl -qw net.ipv4.ip_local_port_range="57344 60999"
	MEDIA_EXTRA="max_sessions: 20000
  flow_capacity: 165000
  stream_capacity: 65536"
	start_tandem "${DATAPATH:-auto}" || return 1
	SERVER_PIDS=("$TANDEM_PID")
	register callee bob 5060 "$B_SIP"
}

tandem_down()
{
	kill -TERM "$TANDEM_PID"
	wait "$TANDEM_PID" 2>/dev/null
	rm -f "$WORK"/tandem.db*
}

kamailio_up()
{
	local pid
	kamailio_config >"$WORK/kamailio.cfg"
	ns_start relay "$WORK/rtpengine.log" rtpengine --foreground --log-stderr --log-level=3 --table=-1 \
		--interface=a/10.77.1.1 --interface=b/10.77.2.1 --listen-ng="$NG" --port-min=20000 --port-max=65000
	RTPENGINE_PID=$LAST_PID
	wait_for 10 udp_bound relay 2223 || return 1
	ns_start relay "$WORK/kamailio.log" kamailio -DD -E -m 256 -M 16 -f "$WORK/kamailio.cfg" \
		-P "$WORK/kamailio.pid" -Y "$WORK"
	KAMAILIO_PID=$LAST_PID
	wait_for 10 udp_bound relay 5060 || return 1
	SERVER_PIDS=("$RTPENGINE_PID" "$KAMAILIO_PID")
	for pid in $(pgrep -P "$KAMAILIO_PID"); do
		SERVER_PIDS+=("$pid")
	done
}

kamailio_down()
{
	kill -TERM "$KAMAILIO_PID" "$RTPENGINE_PID"
	wait "$KAMAILIO_PID" "$RTPENGINE_PID" 2>/dev/null
}

# cpu_ms: processor time of the server so far.
cpu_ms()
{
	local pid ticks=0 t
	for pid in "${SERVER_PIDS[@]}"; do
		t=$(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null) || t=0
		ticks=$((ticks + t))
	done
	echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# memory_kib, descriptors: of the server.
memory_kib()
{
	local pid sum=0 v
	for pid in "${SERVER_PIDS[@]}"; do
		v=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
		sum=$((sum + ${v:-0}))
	done
	echo "$sum"
}

descriptors()
{
	local pid n=0
	for pid in "${SERVER_PIDS[@]}"; do
		n=$((n + $(find "/proc/$pid/fd" 2>/dev/null | wc -l)))
	done
	echo "$n"
}

# why_failed NAME: the first words of what that sipp had to complain of.
why_failed()
{
	head -c 1500 "$WORK/$1_errors.log" 2>/dev/null | sed 's/^/# /' >&2
}

# load RATE CALLS HOLD_MS: calls; FAILED says how many were none, COST_US what each took.
load()
{
	local rate=$1 calls=$2 hold=$3 before uas
	SIPP_TIMEOUT=$((calls / rate + hold / 1000 + 40))
	sipp_start callee uas uas_answer "$B_SIP" -p 5060 -m "$calls" -l "$((calls + 1))" -nd -buff_size 8388608
	uas=$LAST_PID
	wait_for 5 udp_bound callee 5060 || return 1
	before=$(cpu_ms)
	sipp_run caller uac uac_quiet "$A_SIP" -p 5060 -s bob -m "$calls" -r "$rate" -l "$((calls + 1))" \
		-d "$hold" -trace_stat -stf "$WORK/uac.csv" -fd 1 -buff_size 8388608
	COST_US=$((($(cpu_ms) - before) * 1000 / calls))
	FAILED=$(failed_calls "$WORK/uac.csv") || FAILED=$calls
	[ "${FAILED:-1}" = 0 ] || why_failed uac
	kill "$uas" 2>/dev/null
	wait "$uas" 2>/dev/null
	rm -f "$WORK"/uac.csv "$WORK"/ua[cs]_{messages,actions,errors}.log
}

result()
{
	"$PYTHON" -c '
import json, sys
print(json.dumps({k: (int(v) if v.lstrip("-").isdigit() else v)
                  for k, v in (a.split("=", 1) for a in sys.argv[1:])}), flush=True)' "$@"
}

rates()
{
	local round server rate best
	for ((round = 1; round <= ROUNDS; round++)); do
		for server in $SERVERS; do
			"${server}_up" || tap_bail "$server"
			best=0
			for rate in $RATES; do
				load "$rate" $((rate * SECONDS_EACH)) 1000
				result what=rate round="$round" server="$server" calls_per_s="$rate" \
					failed="$FAILED" cpu_us_per_call="$COST_US"
				[ "${FAILED:-1}" = 0 ] || break
				best=$rate
			done
			result what=best round="$round" server="$server" calls_per_s="$best"
			"${server}_down"
			sleep 1
		done
	done
}

# registrations COUNT: users who register; for a while, that they refresh.
registrations()
{
	SIPP_TIMEOUT=300
	sipp_start callee registrations register_stay "$B_SIP" -p 7060 -mp 7100 -m "$1" -l "$1" -r 200 \
		-trace_stat -stf "$WORK/registrations.csv" -fd 1 -buff_size 8388608
	REGISTRATIONS_PID=$LAST_PID
}

# failed_calls FILE: of a sipp, by its statistics.
failed_calls()
{
	awk -F';' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "FailedCall(C)") f = i
		if (!f) exit 1 } END { print $f }' "$1"
}

hold()
{
	local empty full fds
	tandem_up || tap_bail tandem
	empty=$(memory_kib)
	fds=$(descriptors)
	SIPP_TIMEOUT=300
	sipp_start callee uas uas_answer "$B_SIP" -p 5060 -m "$CALLS" -l "$CALLS" -nd -buff_size 8388608
	UAS_PID=$LAST_PID
	wait_for 5 udp_bound callee 5060
	sipp_start caller uac uac_quiet "$A_SIP" -p 5060 -s bob -m "$CALLS" -l "$CALLS" -r 200 \
		-d $((CALLS * 1000 / 200 + 160000)) -trace_stat -stf "$WORK/uac.csv" -fd 1 -buff_size 8388608
	UAC_PID=$LAST_PID
	wait_for $((CALLS / 200 + 60)) session_count_is "$CALLS" || tap_note "only $(tandem session list | field - count)"
	full=$(memory_kib)
	registrations "$CALLS"
	pid_wait "$REGISTRATIONS_PID" || why_failed registrations
	result what=hold calls="$(tandem session list | field - count)" kib_per_call_x100="$(((full - empty) * 100 / CALLS))" \
		memory_kib="$full" descriptors_before="$fds" descriptors="$(descriptors)" \
		registrations_failed="$(failed_calls "$WORK/registrations.csv")" \
		kib_per_registration_x100="$((($(memory_kib) - full) * 100 / CALLS))"
	pid_wait "$UAC_PID" || why_failed uac
	result what=held failed="$(failed_calls "$WORK/uac.csv")"
	pid_wait "$UAS_PID"
	wait_for 40 session_count_is 0
	result what=after sessions="$(tandem session list | field - count)" memory_kib="$(memory_kib)" descriptors="$(descriptors)"
	tandem_down
}

# Transactions live for 32 s, and each port that has its first call touches pages of rules; from half of the
# time on nothing may grow.
soak()
{
	local end=$((SECONDS + SOAK_S)) settled=$((SECONDS + SOAK_S / 2)) first=0 rss status=0 calls=0 failed=0
	tandem_up || tap_bail tandem
	while [ $SECONDS -lt $end ]; do
		load "$SOAK_RATE" $((SOAK_RATE * 10)) 500
		calls=$((calls + SOAK_RATE * 10))
		failed=$((failed + FAILED))
		register callee bob 5060 "$B_SIP" || failed=$((failed + 1))
		rss=$(memory_kib)
		[ $SECONDS -lt $settled ] || [ "$first" != 0 ] || first=$rss
		[ $((calls % 10000)) != 0 ] || result what=soaking calls="$calls" failed="$failed" memory_kib="$rss"
	done
	wait_for 40 session_count_is 0 || status=1
	[ "$failed" = 0 ] || status=1
	# the last of those pages: 2 % is allowed
	[ $(((rss - first) * 50)) -le "$first" ] || status=1
	result what=soak seconds="$SOAK_S" calls="$calls" failed="$failed" kib_settled="$first" kib_end="$rss" \
		descriptors="$(descriptors)" status="$status"
	tandem_down
	return $status
}

test_begin $((SOAK_S + 3600)) sipp clang-16
need_tandem
topology_up || tap_bail topology
case ${1:-rates} in
rates | hold | soak) "${1:-rates}" ;;
*) echo "usage: bench/sip.sh [rates | hold | soak]" >&2; exit 2 ;;
esac
