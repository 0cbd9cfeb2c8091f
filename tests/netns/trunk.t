#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A trunk that asks for a password, also within calls: Kamailio in front of the callee. The caller
# knows nothing of it. Needs kamailio.
#
#   caller uac 10.77.1.2 ---- tandem ---- kamailio 10.77.2.9 ---- uas 10.77.2.2

. "$(dirname "$0")/calls.sh"
test_begin 60 sipp kamailio tcpdump tshark clang-16
need_tandem
AUDIO_PORT=7000
echo "open sesame" >"$WORK/password"
YAML_EXTRA="gateways:
  - {name: trunk, uri: 'sip:10.77.2.9:5060', options_s: 0, user: '4930123', password_file: $WORK/password}
routes:
  - {to: '+*', from: [10.77.1.2], via: [trunk]}"
topology_up || tap_bail "topology"
check "tandem starts" start_tandem || tap_done

# trunk_start QOP: 1 asks for qop=auth, 0 as before RFC 2617.
trunk_start()
{
	cat >"$WORK/kamailio.cfg" <<-EOF
		debug=1
		log_stderror=yes
		children=1
		disable_tcp=yes
		auto_aliases=no
		listen=udp:10.77.2.9:5060
		loadmodule "tm.so"
		loadmodule "sl.so"
		loadmodule "pv.so"
		loadmodule "rr.so"
		loadmodule "siputils.so"
		loadmodule "textops.so"
		loadmodule "auth.so"
		request_route {
			if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
			if (\$si == "10.77.2.1" && !is_method("ACK")) {
				if (\$au != "4930123" || !pv_auth_check("carrier", "open sesame", "0", "0")) {
					t_newtran(); # so that the ACK of the refusal ends here
					auth_challenge("carrier", "$1");
					exit;
				}
				consume_credentials();
			}
			if (has_totag()) {
				if (!loose_route()) { sl_send_reply("404", "Not Here"); exit; }
				t_relay();
				exit;
			}
			record_route();
			\$du = "sip:10.77.2.2:5060";
			t_relay();
		}
	EOF
	ns_start callee "$WORK/kamailio.log" kamailio -DD -E -m 16 -M 4 -f "$WORK/kamailio.cfg" \
		-P "$WORK/kamailio.pid" -Y "$WORK"
	TRUNK_PID=$LAST_PID
	wait_for 5 trunk_listens
}

trunk_listens()
{
	ns_run callee ss -Hlun "src 10.77.2.9:5060" | grep -q .
}

# challenges_stay QOP: INVITE, two more within the call, and BYE were asked for and answered;
# neither the caller nor the callee sees anything of it. What is sent once more, for want of an answer in
# time, is the same branch.
challenges_stay()
{
	tshark -r "$WORK/sip.pcap" -Y sip -T fields -e ip.dst -e sip.Status-Code \
		-e sip.auth -e sip.auth.qop -e sip.Via.branch 2>/dev/null | awk -F "\t" -v qop="$1" '
		seen[$1, $2, $5]++ { next }
		$2 == 407 && $1 == "10.77.2.1" { asked++; next }
		$3 == "" && $2 != 407 { next }
		$1 != "10.77.2.9" { stray++; next }
		($4 ~ /auth/) == qop { answered++ }
		END { print asked, answered, stray + 0; exit asked != 4 || answered != 4 || stray }'
	[ "${PIPESTATUS[1]}" -eq 0 ] && not grep -q '^Proxy-Auth' "$WORK"/ua[cs]_messages.log
}

for qop in 1 0; do
	check "the trunk starts, qop $qop" trunk_start $qop || tap_done
	capture_start relay any "$WORK/sip.pcap" 'udp port 5060'
	rm -f "$WORK"/ua[cs]_*.log
	call_start uac_hold uas_hold -s +4930
	call_answered
	call_ended
	capture_stop
	check "each request was asked for, and the relay has answered" challenges_stay $qop
	stop_pid "$TRUNK_PID"
done
relay_ends
tap_done
