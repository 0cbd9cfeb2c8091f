#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Registers and calls at a rate through a relay that may die at any moment.

Every promise of the relay's is written to a file, in one write each, at the moment it is
known:

    + USER    a registration was answered with 200: the store has to have it from now on
    - USER    it is about to be removed: either is right until
    0 USER    its removal was answered with 200: the store may not have it any more

Both ends of the calls are this process: the callee answers everything at once. A call that the
relay did not live to end is forgotten; its cleaning up is the relay's business.
"""

import argparse
import os
import random
import selectors
import signal
import socket
import time

SDP = ("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n"
       "m=audio {port} RTP/AVP 0\r\n")


def header(text, name):
    for line in text.split("\r\n"):
        if line.lower().startswith(name.lower() + ":"):
            return line.split(":", 1)[1].strip()
    return ""


def headers(text, name):
    return "".join(x + "\r\n" for x in text.split("\r\n\r\n")[0].split("\r\n")
                   if x.lower().startswith(name.lower() + ":"))


class Phone:
    """A socket that sends requests again until they are answered, for two seconds."""

    def __init__(self, bind, relay):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((bind, 0))
        self.sock.setblocking(False)
        self.ip, self.port = self.sock.getsockname()
        self.relay = relay
        self.waiting = {}  # branch: [packet, next time, give up, handler]

    def send(self, text):
        try:
            self.sock.sendto(text.encode(), self.relay)
        except OSError:
            pass  # refused while no relay is there

    def request(self, method, uri, call_id, cseq, sender, to, handler, extra="", body=""):
        branch = "z9hG4bK" + os.urandom(8).hex()
        text = (f"{method} {uri} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.ip}:{self.port};branch={branch};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: {sender}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {cseq} {method}\r\nContact: <sip:{self.ip}:{self.port}>\r\n{extra}"
                + ("Content-Type: application/sdp\r\n" if body else "")
                + f"Content-Length: {len(body)}\r\n\r\n{body}")
        now = time.monotonic()
        if method != "ACK":
            self.waiting[branch] = [text, now + 0.2, now + 2, handler]
        self.send(text)

    def again(self, now):
        for branch, entry in list(self.waiting.items()):
            if now >= entry[2]:
                del self.waiting[branch]
            elif now >= entry[1]:
                entry[1] = now + 0.2
                self.send(entry[0])

    def receive(self, on_request):
        while True:
            try:
                text = self.sock.recv(65535).decode(errors="replace")
            except OSError:
                return
            if not text.startswith("SIP/2.0"):
                on_request(text)
                continue
            branch = header(text, "Via").split("branch=")[-1].split(";")[0]
            status = int(text.split()[1])
            entry = self.waiting.get(branch)
            if entry and status >= 200:
                del self.waiting[branch]
                entry[3](status, text)


class Client:
    def __init__(self, args):
        host, port = args.relay.rsplit(":", 1)
        self.phone = Phone(args.bind, (host, int(port)))
        self.callee = Phone(args.callee, (host, int(port)))
        self.out = os.open(args.promises, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.users = 0
        self.mine = []
        self.answers = {}
        self.callee_ready = False
        self.ending = []  # (when, call)
        self.counts = {"registered": 0, "removed": 0, "calls": 0, "ended": 0, "refused": 0}

    def promise(self, mark, user):
        os.write(self.out, f"{mark} {user}\n".encode())

    def register(self):
        self.users += 1
        user = f"u{self.users}"
        run = os.urandom(4).hex()
        self.phone.request("REGISTER", "sip:example.test", f"{user}-{run}", 1,
                           f"<sip:{user}@example.test>;tag={run}",
                           f"<sip:{user}@example.test>",
                           lambda status, _: self.registered(user, run, status),
                           "Expires: 3600\r\n")

    def registered(self, user, run, status):
        if status != 200:
            self.counts["refused"] += 1
            return
        self.promise("+", user)
        self.counts["registered"] += 1
        if random.random() < 0.3:
            self.promise("-", user)
            self.phone.request("REGISTER", "sip:example.test", f"{user}-{run}", 2,
                               f"<sip:{user}@example.test>;tag={run}",
                               f"<sip:{user}@example.test>",
                               lambda status, _: self.removed(user, status), "Expires: 0\r\n")

    def removed(self, user, status):
        if status == 200:
            self.promise("0", user)
            self.counts["removed"] += 1

    def register_callee(self):
        def done(status, _):
            self.callee_ready |= status == 200
        self.callee.request("REGISTER", "sip:example.test", "callee-" + os.urandom(4).hex(), 1,
                            "<sip:callee@example.test>;tag=c", "<sip:callee@example.test>", done,
                            "Expires: 3600\r\n")

    def on_callee(self, text):
        method = text.split()[0]
        if method == "ACK":
            return
        body = SDP.format(ip=self.callee.ip, port=40002) if method == "INVITE" else ""
        to = header(text, "To")
        self.callee.send(
            "SIP/2.0 200 OK\r\n" + headers(text, "Via") + headers(text, "Record-Route")
            + f"From: {header(text, 'From')}\r\nTo: {to}{'' if 'tag=' in to else ';tag=callee'}\r\n"
            f"Call-ID: {header(text, 'Call-ID')}\r\nCSeq: {header(text, 'CSeq')}\r\n"
            f"Contact: <sip:callee@{self.callee.ip}:{self.callee.port}>\r\n"
            + ("Content-Type: application/sdp\r\n" if body else "")
            + f"Content-Length: {len(body)}\r\n\r\n{body}")

    def call(self):
        call_id = os.urandom(8).hex()
        sender = f"<sip:caller@example.test>;tag={call_id}"
        self.phone.request("INVITE", "sip:callee@example.test", call_id, 1, sender,
                           "<sip:callee@example.test>",
                           lambda status, text: self.answered(call_id, sender, status, text),
                           body=SDP.format(ip=self.phone.ip, port=40000))

    def answered(self, call_id, sender, status, text):
        if status != 200:
            return
        routes = "".join(f"Route: {x.split(':', 1)[1].strip()}\r\n"
                         for x in reversed(headers(text, "Record-Route").splitlines()))
        contact = header(text, "Contact").strip("<>")
        to = header(text, "To")
        self.counts["calls"] += 1
        self.phone.request("ACK", contact, call_id, 1, sender, to, None, routes)
        self.ending.append((time.monotonic() + random.uniform(0.05, 0.6),
                            (contact, call_id, sender, to, routes)))

    def hang_up(self, now):
        def done(_status, _text):
            self.counts["ended"] += 1
        while self.ending and self.ending[0][0] <= now:
            contact, call_id, sender, to, routes = self.ending.pop(0)[1]
            self.phone.request("BYE", contact, call_id, 2, sender, to, done, routes)

    def run(self, args):
        sel = selectors.DefaultSelector()
        sel.register(self.phone.sock, selectors.EVENT_READ)
        sel.register(self.callee.sock, selectors.EVENT_READ)
        stop = []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
        end = time.monotonic() + args.seconds
        due = due_call = time.monotonic()
        while not stop and (now := time.monotonic()) < end:
            if not self.callee_ready and not self.callee.waiting:
                self.register_callee()
            while due <= now:
                due = max(due + 1 / args.rate, now - 0.1)
                self.register()
            while args.calls and due_call <= now:
                due_call = max(due_call + 1 / args.calls, now - 0.1)
                if self.callee_ready:
                    self.call()
            self.ending.sort(key=lambda x: x[0])
            self.hang_up(now)
            self.phone.again(now)
            self.callee.again(now)
            sel.select(0.005)
            self.phone.receive(lambda text: None)
            self.callee.receive(self.on_callee)
        print(" ".join(f"{k}={v}" for k, v in self.counts.items()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", required=True)
    parser.add_argument("--callee", required=True, help="the callee's address")
    parser.add_argument("--relay", required=True, help="ADDRESS:PORT")
    parser.add_argument("--promises", required=True, help="file that promises are added to")
    parser.add_argument("--rate", type=float, default=50, help="registrations a second")
    parser.add_argument("--calls", type=float, default=10, help="calls a second; 0: none")
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    Client(args).run(args)


if __name__ == "__main__":
    main()
