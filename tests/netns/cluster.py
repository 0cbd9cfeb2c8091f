#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Calls that live through the death of the relay they are on.

    cluster.py calls --ng ADDR:PORT --calls N --caller ADDR --callee ADDR --pps N --report FILE

Sets up N calls by the NG protocol and has both parties of each send numbered packets, from a port
of their own, until SIGTERM. A line on stdin is a command: "open N" offers N calls more, whose
answers wait; "answer ADDR:PORT" answers them there; "end ADDR:PORT" deletes all calls by that NG
server. Each command answers with a line. The report says for each direction of each call what was
missed and what the longest silence was. With --secured N the callers of the last N have keys in
SDP, and their sequence numbers, and those of their callees, soon begin again at 0.
"""
import argparse
import base64
import json
import os
import select
import signal
import socket
import struct
import sys
import time

NG_TIMEOUT_S = 2
SUITE = "AES_CM_128_HMAC_SHA1_80"
BEFORE_WRAP = 65536 - 60 # first sequence number of a secured call
HEADER = struct.Struct("!BBHII")


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Ng:
    def __init__(self, server):
        self.server = endpoint(server)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(NG_TIMEOUT_S)
        self.cookies = 0

    def ask(self, command, **keys):
        """The answer as text; JSON, so that nothing here has to read bencode."""
        request = dict(keys, command=command)
        for _ in range(5):
            self.cookies += 1
            cookie = f"c{id(self) % 997}_{self.cookies}"
            self.sock.sendto(f"{cookie} {json.dumps(request)}".encode(), self.server)
            try:
                while True:
                    answer = self.sock.recv(65536).decode()
                    if answer.startswith(cookie + " "):
                        break
            except socket.timeout:
                continue
            doc = json.loads(answer.split(" ", 1)[1])
            if doc["result"] != "ok":
                raise RuntimeError(f"{command}: {doc}")
            return doc
        raise RuntimeError(f"{command}: no answer from {self.server}")


def sdp(addr, port, key=None):
    text = (f"v=0\r\no=- 1 1 IN IP4 {addr}\r\ns=-\r\nc=IN IP4 {addr}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/{'SAVP' if key else 'AVP'} 0\r\na=rtpmap:0 PCMU/8000\r\n")
    if key:
        text += f"a=crypto:1 {SUITE} inline:{base64.b64encode(key).decode()}\r\n"
    return text


def key_of(doc):
    """The relay's, of a description for a party with keys."""
    inline = doc["sdp"].split(f"{SUITE} inline:")[1]
    return base64.b64decode(inline.split("\r\n")[0].split("|")[0])


def srtp_session(key, inbound):
    import pylibsrtp
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    return pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=kind))


def media_of(doc):
    addr = port = None
    for line in doc["sdp"].split("\r\n"):
        if line.startswith("c="):
            addr = line.split()[-1]
        if line.startswith("m="):
            port = int(line.split()[1])
    return addr, port


class Party:
    """One direction: what is sent from here, and what the other one misses of it."""

    def __init__(self, addr, ssrc):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((addr, 0))
        self.addr, self.port = self.sock.getsockname()
        self.ssrc = ssrc
        self.target = None
        self.first = self.sent = self.received = self.unreadable = 0
        self.seal = self.open = None
        self.last = None
        self.silence = 0.0

    def send(self):
        number = self.first + self.sent
        packet = HEADER.pack(0x80, 0, number & 0xffff, number * 160, self.ssrc) + bytes(20)
        if self.seal:
            packet = self.seal.protect(packet)
        try:
            self.sock.sendto(packet, self.target)
        except OSError:
            pass  # as the host is told while nobody has the address
        self.sent += 1

    def receive(self, now):
        while True:
            try:
                data = self.sock.recv(2048)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if self.open and not self.read(data):
                continue
            self.received += 1
            if self.last is not None:
                self.silence = max(self.silence, now - self.last)
            self.last = now

    def read(self, data):
        try:
            self.open.unprotect(data)
        except Exception:  # not authentic, or one that has been
            self.unreadable += 1
            return False
        return True


class Call:
    def __init__(self, number, args):
        self.id = f"call-{number}@cluster"
        self.tags = f"a{number}", f"b{number}"
        self.a = Party(args.caller, 2 * number + 1)
        self.b = Party(args.callee, 2 * number + 2)
        self.up = False
        self.key = None
        if 0 <= args.calls - args.secured <= number < args.calls:
            self.key = os.urandom(30)
            self.a.first = self.b.first = BEFORE_WRAP

    def offer(self, ng):
        self.b.target = media_of(ng.ask("offer", **{
            "call-id": self.id, "from-tag": self.tags[0], "transport-protocol": "RTP/AVP",
            "sdp": sdp(self.a.addr, self.a.port, self.key)}))

    def answer(self, ng):
        doc = ng.ask("answer", **{
            "call-id": self.id, "from-tag": self.tags[0], "to-tag": self.tags[1],
            "sdp": sdp(self.b.addr, self.b.port)})
        self.a.target = media_of(doc)
        if self.key:
            self.a.seal, self.a.open = srtp_session(self.key, False), srtp_session(key_of(doc), True)
        self.up = True

    def delete(self, ng):
        ng.ask("delete", **{"call-id": self.id, "from-tag": self.tags[0]})
        self.up = False


class Calls:
    def __init__(self, args):
        self.args = args
        self.calls = []
        self.poll = select.epoll()
        self.by_fd = {}
        self.stop = False
        signal.signal(signal.SIGTERM, self.on_term)

    def on_term(self, *_):
        self.stop = True

    def open(self, n, ng):
        for _ in range(n):
            call = Call(len(self.calls), self.args)
            call.offer(ng)
            self.calls.append(call)
            for party in (call.a, call.b):
                self.poll.register(party.sock.fileno(), select.EPOLLIN)
                self.by_fd[party.sock.fileno()] = party

    def answer(self, ng):
        for call in self.calls:
            if not call.up:
                call.answer(ng)

    def command(self, line):
        word, value = line.split()
        if word == "open":
            self.open(int(value), Ng(self.args.ng))
        elif word == "answer":
            self.answer(Ng(value))
        elif word == "end":
            ng = Ng(value)
            for call in self.calls:
                if call.up:
                    call.delete(ng)
        print("done", line, flush=True)

    def serve(self, until):
        while True:
            now = time.monotonic()
            events = self.poll.poll(max(0, until - now))
            now = time.monotonic()
            for fd, _ in events:
                if fd == 0:
                    line = sys.stdin.readline()
                    if line:
                        self.command(line.strip())
                    else:
                        self.poll.unregister(0)
                else:
                    self.by_fd[fd].receive(now)
            if now >= until or self.stop:
                return

    def run(self):
        ng = Ng(self.args.ng)
        self.open(self.args.calls, ng)
        self.answer(ng)
        self.poll.register(0, select.EPOLLIN)
        print("up", flush=True)
        step = 1 / self.args.pps / 20  # calls take turns, so that there are no bursts
        due = time.monotonic()
        turn = 0
        while not self.stop:
            for call in self.calls[turn % 20::20]:
                if call.up:
                    call.a.send()
                    call.b.send()
            turn += 1
            due += step
            self.serve(due)
        self.serve(time.monotonic() + 0.3)

    def report(self):
        parties = [p for call in self.calls for p in (call.a, call.b)]
        pairs = [(x, y) for call in self.calls for x, y in ((call.a, call.b), (call.b, call.a))]
        silence = sorted(p.silence for p in parties)
        return {
            "calls": len(self.calls),
            "silent": sum(1 for p in parties if not p.received),
            "stopped": sum(1 for p in parties if not p.last or time.monotonic() - p.last > 2),
            "secured": sum(1 for call in self.calls if call.key),
            "unreadable": sum(p.unreadable for p in parties),
            "lost": sum(x.sent - y.received for x, y in pairs),
            "sent": sum(p.sent for p in parties),
            "gap_ms": {"median": round(1000 * silence[len(silence) // 2]),
                       "max": round(1000 * silence[-1])},
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["calls"])
    parser.add_argument("--ng", required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--secured", type=int, default=0)
    parser.add_argument("--caller", required=True)
    parser.add_argument("--callee", required=True)
    parser.add_argument("--pps", type=float, default=10)
    parser.add_argument("--report", required=True)
    args = parser.parse_args()
    calls = Calls(args)
    calls.run()
    with open(args.report, "w", encoding="utf-8") as f:
        json.dump(calls.report(), f)


main()
