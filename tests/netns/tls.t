#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# SIP over TLS: two phones talk by it, and the one that is called is reached over the connection
# that it opened. Certificates change while phones are connected; versions that are too old
# and clients without a certificate, where one is required, are turned away; the relay talks to no
# server that a stranger signed for, or that is another than was asked for; who asks for sips: is
# never passed on without TLS; a long request arrives over UDP.
#
#   alice (baresip) ==TLS== relay (tandem) ==TLS== bob (baresip)
#         10.77.1.2    10.77.1.1:5061  10.77.2.1:5061    10.77.2.2

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/certificates.sh"

# shown OPTIONS...: what a client sees of the relay.
# shellcheck disable=SC2120 # its arguments come by way of eval
shown()
{
	ns_run caller timeout 5 openssl s_client -connect 10.77.1.1:5061 "$@" </dev/null 2>&1
}

# subject_is NAME OPTIONS...: that is what the relay's certificate says it is.
subject_is()
{
	local name=$1
	shift
	shown "$@" | grep -q "subject=CN = $name\$"
}

# asks REQUEST_URI CODE OPTIONS...: an OPTIONS over TLS gets that status.
asks()
{
	local uri=$1 code=$2
	shift 2
	{
		printf 'OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/TLS 10.77.1.2:5099;branch=z9hG4bK%s;rport\r\n' \
			"$uri" "$RANDOM$RANDOM"
		printf 'From: <sip:x@example.test>;tag=1\r\nTo: <%s>\r\nCall-ID: %s@x\r\n' \
			"$uri" "$RANDOM$RANDOM"
		printf 'CSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n'
		sleep 2
	} | ns_run caller timeout 6 openssl s_client -quiet -connect 10.77.1.1:5061 "$@" 2>/dev/null |
		grep -q "^SIP/2.0 $code "
}

log_says()
{
	grep -q "$1" "$WORK/tandem.log"
}

# server PORT CERTIFICATE: something in the callee's place that speaks TLS, and keeps what it is told
# in $WORK/server_PORT.
server()
{
	cat >"$WORK/server.py" <<-'EOF'
		import socket, ssl, sys
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(sys.argv[2] + ".pem", sys.argv[2] + ".key")
		context.load_verify_locations(sys.argv[3])
		context.verify_mode = ssl.CERT_OPTIONAL
		context.sni_callback = lambda conn, name, context: print("asked for", name)
		listener = socket.create_server(("10.77.2.2", int(sys.argv[1])))
		while True:
		    conn, _ = listener.accept()
		    conn.settimeout(5)
		    try:
		        with context.wrap_socket(conn, server_side=True) as tls:
		            text = tls.recv(4096).decode()
		            while len(text) < 9:
		                text += tls.recv(4096).decode()
		            print("from", tls.getpeercert()["subject"][0][0][1])
		            print(text.lstrip(), flush=True)
		    except (ssl.SSLError, OSError) as why:
		        print(why, flush=True)
	EOF
	ns_start callee "$WORK/server_$1" "$PYTHON" "$WORK/server.py" "$1" "$WORK/$2" \
		"$WORK/ca.pem"
	wait_for 5 tcp_bound callee "$1"
}

# gateway NAME PORT [MORE]: an entry of `gateways:` that is asked over TLS every other second.
gateway()
{
	printf '  - {name: %s, uri: "sip:10.77.2.2:%s;transport=tls", options_s: 2%s}\n' "$1" "$2" \
		"${3:-}"
}

# long_datagram OCTETS: a request of that size over UDP is answered with 200.
long_datagram()
{
	ns_run caller timeout 8 "$PYTHON" - "$1" <<-'EOF'
		import socket, sys
		body = b"x" * int(sys.argv[1])
		head = (b"OPTIONS sip:10.77.1.1:5060 SIP/2.0\r\n"
		        b"Via: SIP/2.0/UDP 10.77.1.2:5098;branch=z9hG4bK%d;rport\r\n"
		        b"From: <sip:x@example.test>;tag=1\r\nTo: <sip:10.77.1.1:5060>\r\n"
		        b"Call-ID: long%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\n"
		        b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n")
		sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		sock.bind(("10.77.1.2", 5098))
		sock.settimeout(5)
		sock.sendto(head % (len(body), len(body), len(body)) + body, ("10.77.1.1", 5060))
		sys.exit(not sock.recv(65535).startswith(b"SIP/2.0 200 "))
	EOF
}

command -v openssl >/dev/null || tap_skip_all "needs openssl"
command -v baresip >/dev/null || tap_skip_all "needs baresip"
test_begin 90 sipp tcpdump tshark clang-16
need_tandem
need_tool rtpphone
need_tool g711cmp
topology_up || tap_bail "topology"
certificate ca "test authority"
certificate relay one.example.test ca
certificate client client.example.test ca
certificate more three.example.test ca
certificate gateway gateway.example.test ca IP:10.77.2.2
certificate sbc sbc.example.test ca URI:sip:sbc.example.test
certificate trunk trunk.example.test ca
certificate other two.example.test ca
certificate stranger stranger.example.test
LISTEN_EXTRA='- "tls:10.77.1.1:5061"
    - "tls:10.77.2.1:5061"'
YAML_EXTRA=$(printf 'gateways:\n%s\n%s\n%s\n%s' "$(gateway known 5071)" "$(gateway unknown 5072)" \
	"$(gateway misnamed 5073)" "$(gateway named 5074 ", tls_name: sbc.example.test,
    tls_certificate: $WORK/trunk.pem, tls_key: $WORK/trunk.key")")
check "a server with a certificate of the authority" server 5071 gateway
check "and one with a certificate of its own" server 5072 stranger
check "one with a certificate of the authority for another" server 5073 client
check "and one for the domain that is expected there" server 5074 sbc
SIP_EXTRA="tls: {certificate: $WORK/relay.pem, key: $WORK/relay.key, ca: $WORK/ca.pem, client: request,
    certificates: [{certificate: $WORK/more.pem, key: $WORK/more.key}]}"
check "tandem starts" start_tandem || tap_done

check "the relay talks to a server that its authority has signed for" \
	wait_for 10 grep -q "^OPTIONS sip" "$WORK/server_5071"
check "and has tried the other" wait_for 10 grep -qi "alert unknown ca" "$WORK/server_5072"
check "but not told it anything" eval '! grep -q "^OPTIONS sip" "$WORK/server_5072"'
check "the one for another is not told anything either" eval \
	'wait_for 10 grep -qi "alert" "$WORK/server_5073" && ! grep -q "^OPTIONS sip" "$WORK/server_5073"'
check "the relay talks to the one whose domain was expected" \
	wait_for 10 grep -q "^OPTIONS sip" "$WORK/server_5074"
check "which was asked for by that name" grep -q "^asked for sbc.example.test" "$WORK/server_5074"
check "and shown the certificate of this gateway" \
	grep -q "^from trunk.example.test" "$WORK/server_5074"
check "others are shown that of the listeners" grep -q "^from one.example.test" "$WORK/server_5071"
check "who asks for another name of the relay is shown that certificate" \
	subject_is three.example.test -servername three.example.test
check "who asks for an unknown one, the first" \
	subject_is one.example.test -servername four.example.test
check "the doctor has nothing against the certificate" eval \
	'"$TANDEM" doctor -c "$WORK/tandem.yaml" | grep -q "sip certificate.*relay.pem$"'
check "the first datagram may be long" long_datagram 20000
check "or as long as UDP has it" long_datagram 65000
check "TLS 1.2 is spoken" eval 'shown -tls1_2 | grep -q "subject="'
check "TLS 1.1 is not" eval '! shown -tls1_1 -cipher DEFAULT@SECLEVEL=0 | grep -q "subject="'
check "no certificate is asked to be shown in vain" asks sip:10.77.1.1:5061 200
check "a certificate of the authority is taken" asks sip:10.77.1.1:5061 200 \
	-cert "$WORK/client.pem" -key "$WORK/client.key"
check "a certificate of a stranger is not" eval \
	'! asks sip:10.77.1.1:5061 200 -cert "$WORK/stranger.pem" -key "$WORK/stranger.key"'

check "a phone registers over UDP" register callee carol 5060 "$B_SIP"
check "who asks for sips: does not get one without TLS" asks sips:carol@example.test 480

cp "$WORK/other.pem" "$WORK/relay.pem"
kill -HUP "$TANDEM_PID"
check "half of a new pair is refused" wait_for 5 log_says "the old certificate stays in use"
check "and the old one serves" subject_is one.example.test
PHONE_TRANSPORT=tls phones_talk tls
cp "$WORK/other.key" "$WORK/relay.key"
kill -HUP "$TANDEM_PID"
check "the whole pair is taken" wait_for 5 subject_is two.example.test
relay_ends
tap_done
