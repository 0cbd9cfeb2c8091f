#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections to a SIP server that are too many, too slow, or good.

  flood  --count N   open N and send nothing
  drip               send a request one octet in --every seconds, --after a whole one or as the first
  phone              register, and see that the connection lasts
  silent             one request, then nothing

Prints JSON: what became of them, and after how many seconds they were closed.
"""

import argparse
import json
import select
import socket
import ssl
import sys
import time


def request(method, uri, local, tls, user="x", extra=""):
    """One request as octets; local is (address, port)."""
    stamp = time.monotonic_ns()
    return (
        f"{method} {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/{'TLS' if tls else 'TCP'} {local[0]}:{local[1]};branch=z9hG4bK{stamp};rport\r\n"
        f"From: <sip:{user}@example.test>;tag={stamp}\r\nTo: <sip:{user}@example.test>\r\n"
        f"Call-ID: {stamp}@{local[0]}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
        f"{extra}Content-Length: 0\r\n\r\n"
    ).encode()


def connect(args):
    sock = socket.create_connection(args.to, timeout=5)
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    return sock


def answer(sock):
    """The status code of what comes next, or 0."""
    text = b""
    try:
        while b"\r\n\r\n" not in text:
            piece = sock.recv(4096)
            if not piece:
                return 0
            text += piece
    except OSError:
        return 0
    return int(text.split()[1])


def is_closed(sock, wait=0.0):
    """True when the other side has ended the connection."""
    if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
        if not select.select([sock], [], [], wait)[0]:
            return False
    try:
        return not sock.recv(4096)
    except OSError:
        return True


def count_open(socks):
    """How many the other side has not closed; those are dropped from the list."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN | select.POLLHUP)
    ended = {fd for fd, _ in poll.poll(0)}
    socks[:] = [s for s in socks if s.fileno() not in ended]
    return len(socks)


def flood(args):
    socks, refused = [], 0
    for _ in range(args.count):
        try:
            socks.append(socket.create_connection(args.to, timeout=5))
        except OSError:
            refused += 1
    time.sleep(1)
    start = time.monotonic()
    peak = count_open(socks)
    print(json.dumps({"open": peak}), flush=True)
    while socks and time.monotonic() - start < args.seconds:
        time.sleep(0.1)
        count_open(socks)
    return {"tried": args.count, "open": peak, "left": len(socks)}


def drip(args):
    sock = connect(args)
    local = sock.getsockname()
    uri = f"sip:{args.to[0]}:{args.to[1]}"
    whole = request("OPTIONS", uri, local, args.tls)
    status = 0
    if args.after:
        sock.sendall(whole)
        status = answer(sock)
    start = time.monotonic()
    sent, closed = 0, False
    for octet in whole[:-1]:
        try:
            sock.sendall(bytes([octet]))
        except OSError:
            closed = True
            break
        sent += 1
        closed = is_closed(sock, args.every)
        if closed or time.monotonic() - start > args.seconds:
            break
    return {"status": status, "sent": sent, "closed": closed, "after_s": time.monotonic() - start}


def silent(args):
    sock = connect(args)
    sock.sendall(request("OPTIONS", f"sip:{args.to[0]}:{args.to[1]}", sock.getsockname(), args.tls))
    status = answer(sock)
    start = time.monotonic()
    closed = is_closed(sock, args.seconds)
    return {"status": status, "closed": closed, "after_s": time.monotonic() - start}


def phone(args):
    sock = connect(args)
    local = sock.getsockname()
    scheme = "tls" if args.tls else "tcp"
    contact = f"Contact: <sip:{args.user}@{local[0]}:{local[1]};transport={scheme}>;expires=600\r\n"
    sock.sendall(request("REGISTER", "sip:example.test", local, args.tls, args.user, contact))
    status = answer(sock)
    print(json.dumps({"status": status}), flush=True)
    start = time.monotonic()
    pongs, closed = 0, False
    while status == 200 and not closed and time.monotonic() - start < args.seconds:
        sock.sendall(b"\r\n\r\n")
        sock.settimeout(5)
        try:
            closed = sock.recv(16) != b"\r\n"
        except OSError:
            closed = True
        pongs += not closed
        if not closed:
            closed = is_closed(sock, 1.0)
    return {"status": status, "pongs": pongs, "closed": closed, "after_s": time.monotonic() - start}


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    modes = {"flood": flood, "drip": drip, "silent": silent, "phone": phone}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=sorted(modes))
    parser.add_argument("--to", type=address, required=True)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--after", action="store_true")
    parser.add_argument("--every", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--user", default="x")
    args = parser.parse_args()
    print(json.dumps(modes[args.mode](args)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
