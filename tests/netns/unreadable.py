#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Requests that a SIP server cannot read, and what it answers.

  each udp|tcp|tls ADDRESS:PORT FILE=CODE...  each file as it is, and the code that has to come; CODE 0
                                              is for no answer and no closed connection within a second
  flood COUNT ADDRESS:PORT FILE               by UDP, as fast as can be

Over UDP answers are waited for at port 5060, which is where the Vias of the files lead. Prints JSON:
how many were answered, and how much longer than its request an answer was at most. Exits 1 where
another code came.
"""
import json
import select
import socket
import ssl
import sys
import time

PATIENCE = 5
FLOOD_SECONDS = 2


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def udp(to):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("", 5060))
    sock.connect(to)
    return sock


def stream(to, tls):
    sock = socket.create_connection(to, timeout=PATIENCE)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    return sock


def final(sock, patience):
    """The final response; nothing where none comes, or the connection ends without one."""
    deadline = time.monotonic() + patience
    text = b""
    while time.monotonic() < deadline:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = sock.recv(65535)
        except OSError:
            break
        if not piece:
            break
        text += piece
        while b"\r\n\r\n" in text:
            one, _, text = text.partition(b"\r\n\r\n")
            if not one.startswith(b"SIP/2.0 1"):
                return one + b"\r\n\r\n"
    return b""


def each(transport, to, *wanted):
    answered, longer, wrong = 0, -65536, 0
    for name, _, code in (w.rpartition("=") for w in wanted):
        with open(name, "rb") as file:
            request = file.read()
        with udp(to) if transport == "udp" else stream(to, transport == "tls") as sock:
            sock.sendall(request)
            text = final(sock, PATIENCE if int(code) else 1)
        got = int(text.split()[1]) if text else 0
        if got != int(code):
            print(f"{name}: {got} in place of {code}", file=sys.stderr)
            wrong += 1
        if got:
            answered += 1
            longer = max(longer, len(text) - len(request))
    print(json.dumps({"answered": answered, "longer": longer, "wrong": wrong}))
    return 1 if wrong else 0


def flood(count, to, name):
    with open(name, "rb") as file:
        request = file.read()
    answered = 0
    with udp(to) as sock:
        end = time.monotonic() + FLOOD_SECONDS
        sent = 0
        while sent < int(count) and time.monotonic() < end:
            sock.send(request)
            sent += 1
        while select.select([sock], [], [], 1)[0]:
            sock.recv(65535)
            answered += 1
    print(json.dumps({"sent": sent, "answered": answered}))
    return 0


if sys.argv[1] == "each":
    sys.exit(each(sys.argv[2], address(sys.argv[3]), *sys.argv[4:]))
sys.exit(flood(sys.argv[2], address(sys.argv[3]), sys.argv[4]))
