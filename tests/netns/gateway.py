#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A gateway that does as a file says, and a caller that wants one final answer.

serve LOG MODE ADDRESS PORT...  a line "METHOD URI" in LOG for each request; the word in MODE
                                is how an INVITE is answered ("200", "503", "silent"), and
                                "dead" answers nothing at all
call ADDRESS RELAY URI [USER]   prints the status code of the final response
"""
import os
import re
import select
import socket
import sys
import time

DEADLINE = 20


def header(text, name):
    return re.findall(rf"^{name}: *(.*?)\r?$", text, re.M | re.I)


def sock_of(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, int(port)))
    return sock


def response(text, status):
    to = header(text, "To")[0]
    lines = [f"SIP/2.0 {status} Test"]
    lines += [f"Via: {v}" for v in header(text, "Via")]
    lines += [f"Record-Route: {v}" for v in header(text, "Record-Route")]
    lines += [
        f"From: {header(text, 'From')[0]}",
        f"To: {to}" if "tag=" in to else f"To: {to};tag=gateway",
        f"Call-ID: {header(text, 'Call-ID')[0]}",
        f"CSeq: {header(text, 'CSeq')[0]}",
        "Contact: <sip:gateway@192.0.2.99>",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_mode(path):
    try:
        with open(path, encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return "200"


def serve(log, mode_path, *places):
    socks = [sock_of(a, p) for a, p in zip(places[::2], places[1::2])]
    with open(log, "a", buffering=1, encoding="utf-8") as out:
        while True:
            for sock in select.select(socks, [], [])[0]:
                data, peer = sock.recvfrom(65535)
                text = data.decode(errors="replace")
                method, uri = text.split(" ")[:2]
                if method == "SIP/2.0":
                    continue
                mode = read_mode(mode_path)
                out.write(f"{method} {uri}\n")
                if mode == "dead" or method == "ACK":
                    continue
                if method == "INVITE" and mode == "silent":
                    continue
                status = mode if method == "INVITE" and mode != "silent" else "200"
                sock.sendto(response(text, status), peer)


def call(address, relay, uri, user="alice"):
    sock = sock_of(address, 0)
    port = sock.getsockname()[1]
    host, _, relay_port = relay.rpartition(":")
    mark = f"{os.getpid()}{time.time_ns()}"
    head = (
        f"Via: SIP/2.0/UDP {address}:{port};branch=z9hG4bK{mark};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{user}@example.test>;tag={mark}\r\n"
        f"To: <{uri}>%s\r\nCall-ID: {mark}\r\nCSeq: 1 %s\r\n"
    )
    body = (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        "m=audio 7000 RTP/AVP 0\r\n"
    )
    invite = (
        f"INVITE {uri} SIP/2.0\r\n{head % ('', 'INVITE')}Contact: <sip:{user}@{address}:{port}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    end = time.time() + DEADLINE
    answered = False
    while time.time() < end:
        if not answered:
            sock.sendto(invite.encode(), (host, int(relay_port)))
        if not select.select([sock], [], [], 1)[0]:
            continue
        text = sock.recv(65535).decode(errors="replace")
        status = text.split(" ")[1]
        answered = True
        if status.startswith("1"):
            continue
        tag = re.search(r"(;tag=\S+)", header(text, "To")[0])
        ack = f"ACK {uri} SIP/2.0\r\n{head % (tag.group(1) if tag else '', 'ACK')}Content-Length: 0\r\n\r\n"
        if not status.startswith("2"):
            sock.sendto(ack.encode(), (host, int(relay_port)))
        print(status)
        return
    sys.exit("no final response")


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
