#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""RTP to many ports from one, and the receivers of it all.

  scatter.py forward N [--six]          the document of a forward from port N to its receiver
  scatter.py send PORTS ROUNDS [--six]  packet by packet, each port once a round
  scatter.py receive PORTS ROUNDS SECONDS [--six]
                                        "ready" on stderr; then ports that got all of theirs in
                                        order, as "complete" / those that did not, as JSON
  scatter.py listen ADDRESS PORT SECONDS
                                        the length of the first datagram that comes there
"""
import argparse
import json
import select
import socket
import struct
import sys
import time

SOURCE, RELAY, SINK = "10.77.1.2", "10.77.1.1", "10.77.2.2"
SOURCE6, RELAY6, SINK6 = "fd77:1::2", "fd77:1::1", "fd77:2::2"
SOURCE_PORT, RELAY_PORT, SINK_PORT = 4000, 16400, 6000


def host(address):
    return f"[{address}]" if ":" in address else address


def bound(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((address, port))
    return s


def forward(args):
    source, relay, sink = (SOURCE6, RELAY6, SINK6) if args.six else (SOURCE, RELAY, SINK)
    print(json.dumps({
        "from": f"{host(source)}:{SOURCE_PORT}",
        "to": f"{host(relay)}:{RELAY_PORT + 2 * args.n}",
        "payload_types": [{"pt": 0}],
        "out": [{"to": f"{host(sink)}:{SINK_PORT + 2 * args.n}"}],
    }))


def send(args):
    s = bound(SOURCE6 if args.six else SOURCE, SOURCE_PORT)
    relay = RELAY6 if args.six else RELAY
    for seq in range(args.rounds):
        for n in range(args.ports):
            data = struct.pack("!BBHII", 0x80, 0, seq, seq * 160, 0x1000 + n) + bytes(160)
            s.sendto(data, (relay, RELAY_PORT + 2 * n))
            time.sleep(args.gap)


def receive(args):
    address = SINK6 if args.six else SINK
    sockets = [bound(address, SINK_PORT + 2 * n) for n in range(args.ports)]
    got = {s: [] for s in sockets}
    left = args.ports * args.rounds
    end = time.monotonic() + args.seconds
    print("ready", file=sys.stderr, flush=True)
    while left > 0 and time.monotonic() < end:
        for s in select.select(sockets, [], [], 0.1)[0]:
            got[s].append(struct.unpack_from("!H", s.recv(2048), 2)[0])
            left -= 1
    want = list(range(args.rounds))
    complete = sum(seqs == want for seqs in got.values())
    print(json.dumps({"complete": complete, "incomplete": args.ports - complete,
                      "odd": [seqs for seqs in got.values() if seqs != want][:5]}))


def listen(args):
    s = bound(args.address, args.port)
    s.settimeout(args.seconds)
    print("ready", file=sys.stderr, flush=True)
    print(len(s.recv(2048)))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    p = commands.add_parser("forward")
    p.add_argument("n", type=int)
    p.set_defaults(run=forward)
    p = commands.add_parser("send")
    p.add_argument("ports", type=int)
    p.add_argument("rounds", type=int)
    p.add_argument("--gap", type=float, default=0.0005)
    p.set_defaults(run=send)
    p = commands.add_parser("receive")
    p.add_argument("ports", type=int)
    p.add_argument("rounds", type=int)
    p.add_argument("seconds", type=float)
    p.set_defaults(run=receive)
    for p in commands.choices.values():
        p.add_argument("--six", action="store_true")
    p = commands.add_parser("listen")
    p.add_argument("address")
    p.add_argument("port", type=int)
    p.add_argument("seconds", type=float)
    p.set_defaults(run=listen)
    args = parser.parse_args()
    args.run(args)


main()
