#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kamailio on both sides: the outbound proxy of the caller, and the one that the callee
# registers through (Path, RFC 3327). Both record-route. Needs kamailio.
#
#   caller uac 10.77.1.2 -- kamailio 10.77.1.9 -- tandem -- kamailio 10.77.2.9 -- uas 10.77.2.2

. "$(dirname "$0")/calls.sh"
command -v kamailio >/dev/null || tap_skip_all "needs kamailio"
relay_begin 90
audio_pcap 60
A_SIP=10.77.1.9:5060
B_SIP=10.77.2.9:5060

# proxy_start NS SIDE: forwards what comes from its phones to tandem, the rest by its Route.
proxy_start()
{
	local ns=$1 side=$2
	cat >"$WORK/$ns.cfg" <<-EOF
		debug=1
		log_stderror=yes
		children=1
		disable_tcp=yes
		auto_aliases=no
		listen=udp:10.77.$side.9:5060
		loadmodule "tm.so"
		loadmodule "sl.so"
		loadmodule "pv.so"
		loadmodule "rr.so"
		loadmodule "maxfwd.so"
		loadmodule "siputils.so"
		loadmodule "textops.so"
		request_route {
			if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
			if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
			if (has_totag()) {
				if (!loose_route()) { sl_send_reply("404", "Not Here"); exit; }
				t_relay();
				exit;
			}
			loose_route();
			remove_hf("Route");
			if (is_method("INVITE")) record_route();
			if (is_method("REGISTER")) append_hf("Path: <sip:10.77.$side.9;lr>\r\n");
			if (\$si != "10.77.$side.1") \$du = "sip:10.77.$side.1:5060";
			t_relay();
		}
	EOF
	ns_start "$ns" "$WORK/$ns.kamailio.log" kamailio -DD -E -m 16 -M 4 -f "$WORK/$ns.cfg" \
		-P "$WORK/$ns.pid" -Y "$WORK"
	wait_for 5 proxy_listens "$ns" "10.77.$side.9"
}

proxy_listens()
{
	ns_run "$1" ss -Hlun "src $2:5060" | grep -q .
}

# What a judge other than sipp says of the messages tandem sent.
wire_is_right()
{
	tshark -r "$WORK/sip.pcap" -Y 'sip && (ip.src == 10.77.1.1 || ip.src == 10.77.2.1)' \
		-T fields -e udp.payload 2>/dev/null | "$PYTHON" -c '
import re, sys

branches, count = {}, 0
for line in sys.stdin:
    head, _, body = bytes.fromhex(line.strip()).partition(b"\r\n\r\n")
    text = head.decode()
    count += 1
    length = re.findall(r"^Content-Length: (\d+)$", text.replace("\r", ""), re.M)
    assert length == [str(len(body))], text
    if text.startswith("SIP/2.0"):
        continue
    vias = re.findall(r"^Via: (.*)$", text.replace("\r", ""), re.M)
    branch = re.search(r"branch=(z9hG4bK[^;]+)", vias[0]).group(1)
    method = text.split()[0]
    name = (method, re.search(r"CSeq: (.*)", text).group(1), vias[1:])
    if len(vias) == 1:  # made here, in the transaction of the INVITE
        assert method in ("CANCEL", "ACK") and branch in branches, text
        continue
    assert branches.setdefault(branch, name) == name, text
    if ";rport" in vias[1]:
        assert "received=" in vias[1] and re.search(r"rport=\d+", vias[1]), text
assert count > 20, count
'
}

capture_start relay any "$WORK/sip.pcap" 'udp port 5060'
check "a proxy starts on the side of the caller" proxy_start caller 1 || tap_done
check "a proxy starts on the side of the callee" proxy_start callee 2 || tap_done
UAS_OPTIONS=-rtp_echo call_start uac_call uas_answer -d 3000
call_answered
check "the session is established" wait_for 5 session_has state=established
check "media passes both ways" wait_for 5 session_has 'flows.+.packets>=100' 'verdict~two.way'
call_ended
check "no session is left by the caller's BYE" wait_for 5 session_count_is 0
rm -f "$WORK"/ua[cs]_*.log
UAS_OPTIONS="" call_start uac_wait_bye uas_bye
call_ended
check "nor by the callee's" wait_for 5 session_count_is 0
rm -f "$WORK"/ua[cs]_*.log
UAS_OPTIONS="" call_start uac_hold uas_hold
call_ended
rm -f "$WORK"/ua[cs]_*.log
UAS_OPTIONS="" call_start uac_cancel uas_cancel
call_ended
capture_stop
check "lengths, branches and Via are right in all that tandem sent" wire_is_right
relay_ends
tap_done
