#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tandem in front of somebody else's registrar: Kamailio has the phones of home.test, asks them for
# their passwords, and reaches them by the relay again, so that each call comes round twice
# (a spiral, RFC 3261 section 16.3). Needs kamailio and baresip.
#
#   alice 10.77.1.2 ---- tandem ---- bob 10.77.2.2
#                          ||
#                kamailio 10.77.2.9, registrar

. "$(dirname "$0")/calls.sh"
for tool in kamailio baresip; do
	command -v $tool >/dev/null || tap_skip_all "needs $tool"
done
YAML_EXTRA='gateways:
  - {name: home, uri: "sip:10.77.2.9:5060", options_s: 0}
routes:
  - {domain: home.test, from: [10.77.1.2, 10.77.2.2], via: [home]}
  - {domain: 10.77.1.2, from: [home], via: [dns]}
  - {domain: 10.77.2.2, from: [home], via: [dns]}'
PHONE_DOMAIN=home.test

home_start()
{
	cat >"$WORK/kamailio.cfg" <<-EOF
		debug=1
		log_stderror=yes
		children=1
		disable_tcp=yes
		auto_aliases=no
		alias="home.test"
		listen=udp:10.77.2.9:5060
		loadmodule "tm.so"
		loadmodule "sl.so"
		loadmodule "pv.so"
		loadmodule "rr.so"
		loadmodule "siputils.so"
		loadmodule "textops.so"
		loadmodule "auth.so"
		loadmodule "usrloc.so"
		loadmodule "registrar.so"
		request_route {
			if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
			if (has_totag()) {
				if (!loose_route()) { sl_send_reply("404", "Not Here"); exit; }
				t_relay();
				exit;
			}
			if (is_method("ACK")) exit;
			if (\$au == \$null || !pv_auth_check("home.test", "secret", "0", "0")) {
				if (is_method("REGISTER")) www_challenge("home.test", "1");
				else proxy_challenge("home.test", "1");
				exit;
			}
			if (\$au != \$fU) { sl_send_reply("403", "Not You"); exit; }
			consume_credentials();
			if (is_method("REGISTER")) {
				append_to_reply("Service-Route: <sip:10.77.2.9;lr>\r\n");
				save("location");
				exit;
			}
			if (!lookup("location")) { sl_send_reply("480", "Not There"); exit; }
			if (is_method("INVITE")) record_route();
			\$du = "sip:10.77.2.1:5060";
			t_relay();
		}
	EOF
	ns_start callee "$WORK/kamailio.log" kamailio -DD -E -m 32 -M 4 -f "$WORK/kamailio.cfg" \
		-P "$WORK/kamailio.pid" -Y "$WORK"
	wait_for 5 home_listens
}

home_listens()
{
	ns_run callee ss -Hlun "src 10.77.2.9:5060" | grep -q .
}

# sip_seen COUNT FILTER: at least so many such messages, as tshark understands them.
sip_seen()
{
	local n
	n=$(tshark -r "$WORK/sip.pcap" -Y "sip && $2" 2>/dev/null | wc -l)
	echo "$n"
	[ "$n" -ge "$1" ]
}

# stranger METHOD URI: the answer to one who knows no password.
stranger()
{
	ns_run caller "$PYTHON" "$NETNS/ask.py" --bind 10.77.1.2 --to "$A_SIP" --method "$1" --uri "$2"
}

relay_begin 60
need_tool g711cmp
check "the registrar starts" home_start || tap_done
capture_start relay any "$WORK/sip.pcap" 'udp port 5060'
phones_talk "by their home"
check "a stranger is asked for a password" test "$(stranger REGISTER sip:home.test)" = 401
check "not only to register" test "$(stranger MESSAGE sip:bob@home.test)" = 407
capture_stop
from_home="ip.src == 10.77.1.1 && ip.dst == 10.77.1.2"
check "the registrar's challenges come to the phones" \
	sip_seen 2 "$from_home && sip.Status-Code == 401 && sip.auth.realm contains home.test"
check "and its Service-Route" sip_seen 1 \
	"$from_home && sip.Status-Code == 200 && sip.CSeq.method == REGISTER &&
	sip.Service-Route contains \"<sip:10.77.2.9;lr>\""
check "their passwords come to it" sip_seen 4 \
	'ip.dst == 10.77.2.9 && sip.Method == REGISTER && sip.auth.username'
check "the call has come round, and its session timer with it" sip_seen 1 \
	'ip.src == 10.77.2.9 && ip.dst == 10.77.2.1 && sip.Method == INVITE && sip.Session-Expires'
check "it has ended the same way" sip_seen 1 \
	'ip.src == 10.77.2.9 && ip.dst == 10.77.2.1 && sip.Method == BYE'
relay_ends
tap_done
