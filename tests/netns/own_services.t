#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stranger registers a contact on the relay's own loopback, and sends to it: whatever
# listens there must not hear of it.
#
#   caller --- REGISTER Contact: sip:eve@127.0.0.1:6379 ---> relay --X--> 127.0.0.1:6379
#          --- MESSAGE sip:eve@example.test --------------->

. "$(dirname "$0")/calls.sh"
relay_begin 40

# stranger TRANSPORT LOCAL_PORT: registers over it, and prints the answer to a MESSAGE.
stranger()
{
	ns_run caller "$PYTHON" - "$1" "$2" <<-'EOF'
		import socket, sys

		transport, port = sys.argv[1], int(sys.argv[2])
		kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM

		def ask(sock, method, uri, extra, body=""):
		    sock.sendall((
		        f"{method} {uri} SIP/2.0\r\n"
		        f"Via: SIP/2.0/{sock.via} 10.77.1.2:{sock.getsockname()[1]}"
		        f";branch=z9hG4bK{method}{transport}{port};rport\r\nMax-Forwards: 70\r\n"
		        f"From: <sip:eve@example.test>;tag=e\r\nTo: <sip:eve@example.test>\r\n"
		        f"Call-ID: {method}{transport}{port}\r\nCSeq: 1 {method}\r\n{extra}"
		        f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
		    return sock.recv(4096).decode().split("\r\n")[0]

		class Sock(socket.socket):
		    pass

		reg = Sock(socket.AF_INET, kind)
		reg.via = transport.upper()
		reg.settimeout(3)
		reg.connect(("10.77.1.1", 5060))
		print(ask(reg, "REGISTER", "sip:example.test",
		          f"Contact: <sip:eve@127.0.0.1:{port};transport={transport}>\r\n"
		          "Expires: 300\r\n"))
		reg.close()
		udp = Sock(socket.AF_INET, socket.SOCK_DGRAM)
		udp.via = "UDP"
		udp.settimeout(3)
		udp.connect(("10.77.1.1", 5060))
		print(ask(udp, "MESSAGE", "sip:eve@example.test", "", "FLUSHALL\r\n"))
	EOF
}

ns_start relay "$WORK/victim.log" "$PYTHON" -uc '
import socket
s = socket.create_server(("127.0.0.1", 6379))
print("ready")
c, _ = s.accept()
print("heard", c.recv(4096))'
wait_for 5 grep -q ready "$WORK/victim.log" || tap_bail "the victim listens"
stranger tcp 6379 >"$WORK/answers"
check "the registration is taken: nothing is sent there" grep -q '200 OK' "$WORK/answers"
check "what would go there is refused" grep -q '403' "$WORK/answers"
sleep 0.3
check_not "the service on loopback has heard nothing" grep -q heard "$WORK/victim.log"
relay_ends
tap_done
