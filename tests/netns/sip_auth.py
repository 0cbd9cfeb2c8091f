#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A phone that answers challenges in ways that a phone does not.

  sip_auth.py [OPTIONS] LOCAL_IP RELAY_IP:PORT STEP...

Each STEP is one REGISTER, or many, and what has to come back ("none": nothing within
half a second). The nonce is that of the last challenge.

  ask CODE             without credentials
  answer CODE          with the right ones, and the next count
  same CODE            the same credentials as before, for another request; the
                       challenge that comes has to say stale=true
  wrong CODE           with a wrong password
  count N CODE         with this count
  as NAME CODE         with the right credentials, for NAME's address of record
  guess N              wrong passwords until nothing comes back, N at most
  flood N              that many, a thousand a second; prints how many were answered

Exits 0 when all came as it should.
"""
import argparse
import hashlib
import re
import socket
import sys
import time


class Phone:
    def __init__(self, opts):
        self.opts = opts
        self.count, self.serial, self.nonce, self.last = 0, 0, None, None
        host, _, port = opts.relay.rpartition(":")
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((opts.local, 0))
        self.sock.connect((host, int(port)))
        self.name = "%s:%d" % self.sock.getsockname()

    def digest(self, text):
        return hashlib.new(self.opts.hash, text.encode()).hexdigest()

    def credentials(self, password, count):
        o, uri = self.opts, "sip:example.test"
        ha1 = self.digest(f"{o.user}:{o.realm}:{password}")
        ha2 = self.digest(f"REGISTER:{uri}")
        response = self.digest(f"{ha1}:{self.nonce}:{count:08x}:c,0:auth:{ha2}")
        name = {"sha256": "SHA-256", "md5": "MD5"}[o.hash]
        return (f'Digest username="{o.user}", realm="{o.realm}", nonce="{self.nonce}", uri="{uri}", '
                f'response="{response}", algorithm={name}, cnonce="c,0", qop=auth, nc={count:08x}')

    def send(self, credentials=None, user=None):
        self.serial += 1
        user = user or self.opts.user
        lines = [
            "REGISTER sip:example.test SIP/2.0",
            f"Via: SIP/2.0/UDP {self.name};branch=z9hG4bK{self.name}{self.serial};rport",
            "Max-Forwards: 70",
            f"From: <sip:{user}@example.test>;tag=t{self.serial}",
            f"To: <sip:{user}@example.test>",
            f"Call-ID: {self.serial}@{self.name}",
            "CSeq: 1 REGISTER",
            f"Contact: <sip:{user}@{self.name}>",
            "Expires: 300",
        ]
        if credentials:
            lines.append("Authorization: " + credentials)
        self.sock.send("\r\n".join(lines + ["Content-Length: 0", "", ""]).encode())

    def receive(self, seconds=0.5):
        self.sock.settimeout(seconds)
        try:
            text = self.sock.recv(65536).decode()
        except (socket.timeout, ConnectionError):
            return "none", ""
        found = re.search(r'nonce="([^"]+)"', text)
        if found and found.group(1) != self.nonce:
            self.nonce, self.count = found.group(1), 0
        return text.split(" ", 2)[1], text

    def exchange(self, credentials=None, user=None):
        self.last = credentials
        self.send(credentials, user)
        return self.receive()

    def answer(self, count=None, user=None):
        if count is None:
            self.count += 1
            count = self.count
        return self.exchange(self.credentials(self.opts.password, count), user)

    def wrong(self):
        self.count += 1
        return self.exchange(self.credentials("not " + self.opts.password, self.count))

    def guess(self, most):
        for n in range(most):
            code, _ = self.wrong()
            if code == "none":
                return n
        return most

    def flood(self, count):
        for n in range(count):
            self.send()
            if n % 10 == 9:  # what a socket's buffer does not hold is nobody's refusal
                time.sleep(0.01)
        answered = 0
        while self.receive(0.3)[0] != "none":
            answered += 1
        return answered


def play(phone, steps):
    steps = list(steps)
    while steps:
        step, text = steps.pop(0), ""
        if step in ("guess", "flood"):
            most = int(steps.pop(0))
            print(step, getattr(phone, step)(most))
            continue
        if step == "ask":
            code, text = phone.exchange()
        elif step == "answer":
            code, text = phone.answer()
        elif step == "same":
            code, text = phone.exchange(phone.last)
        elif step == "wrong":
            code, text = phone.wrong()
        elif step == "count":
            code, text = phone.answer(count=int(steps.pop(0)))
        elif step == "as":
            code, text = phone.answer(user=steps.pop(0))
        else:
            raise SystemExit(f"no such step: {step}")
        want = steps.pop(0)
        print(step, code)
        if code != want or (step == "same" and "stale=true" not in text):
            print(f"{step}: {want} wanted, {code} came\n{text}")
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--user", default="bob")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--realm", default="example.test")
    parser.add_argument("--hash", default="sha256")
    parser.add_argument("local")
    parser.add_argument("relay")
    parser.add_argument("steps", nargs="+")
    opts = parser.parse_args()
    return play(Phone(opts), opts.steps)


if __name__ == "__main__":
    sys.exit(main())
