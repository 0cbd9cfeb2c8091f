#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Drives one baresip over ctrl_tcp (JSON in netstrings) on 127.0.0.1:4444.

  baresip.py FIFO EVENTS

Run it inside the phone's network namespace, for the life of the phone: ctrl_tcp
serves a single connection. Each line read from FIFO is a command with its
parameters (dial, accept, hangup, hold, resume, callstat, reginfo, quit). Events
are appended to the file EVENTS as "TYPE PARAM"; the answer to the n-th command
follows as "ANSWER n ok|failed" and its text, each line of it indented.
"""
import json
import os
import selectors
import socket
import sys

ADDRESS = ("127.0.0.1", 4444)


def netstring(text):
    return b"%d:%s," % (len(text), text)


def messages(buf):
    """The complete messages at the start of buf, and what is left of it."""
    found = []
    while True:
        head, colon, rest = buf.partition(b":")
        if not colon or len(rest) <= int(head):
            return found, buf
        found.append(json.loads(rest[:int(head)]))
        buf = rest[int(head) + 1:]


def line_of(message):
    if message.get("event"):
        return f"{message.get('type')} {message.get('param', '')}\n"
    verdict = "ok" if message.get("ok") else "failed"
    data = "".join(f" {x}\n" for x in message.get("data", "").splitlines())
    return f"ANSWER {message.get('token')} {verdict}\n{data}"


def drive(fifo, events):
    sock = socket.create_connection(ADDRESS, 5.0)
    # both ends open, so that the fifo never reports end of file
    commands = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    sel = selectors.DefaultSelector()
    sel.register(sock, selectors.EVENT_READ)
    sel.register(commands, selectors.EVENT_READ)
    buf, count = b"", 0
    events.write("ATTACHED\n")
    while True:
        for key, _ in sel.select():
            if key.fileobj is sock:
                data = sock.recv(65536)
                if not data:
                    return
                found, buf = messages(buf + data)
                events.writelines(line_of(m) for m in found)
                continue
            for text in os.read(commands, 4096).decode().splitlines():
                count += 1
                name, _, params = text.partition(" ")
                doc = {"command": name, "params": params, "token": str(count)}
                sock.sendall(netstring(json.dumps(doc).encode()))


def main(argv):
    if len(argv) != 3:
        raise SystemExit(__doc__)
    with open(argv[2], "a", encoding="utf-8", buffering=1) as events:
        drive(argv[1], events)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
