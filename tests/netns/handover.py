#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Asks a relay to hand over, and does not keep its word. WHAT: pid, abi, twice, die."""

import json
import socket
import sys
import time


def dial(path, timeout=20):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect(path)
    return sock


def call(path, name, **params):
    with dial(path) as sock, sock.makefile("rw") as lines:
        lines.write(json.dumps({"call": name, **params}) + "\n")
        lines.flush()
        return json.loads(lines.readline())


def start(path, abi):
    return call(path, "handover.start", version="9.9", abi=abi, sockets=True)


def start_own(path):
    """With the relay's ABI, as it says it when it refuses another; an earlier try may not be over."""
    end = time.monotonic() + 10
    while True:
        text = start(path, 99)["error"]["text"]
        if "already" not in text:
            return start(path, int(text.split("with ABI ")[1].split(":")[0]))["result"]
        if time.monotonic() > end:
            sys.exit(text)
        time.sleep(0.05)


def main():
    path, what = sys.argv[1:]
    if what == "pid":
        print(call(path, "version")["result"]["pid"])
        return 0
    if what == "abi":
        print(start(path, 99)["error"]["text"])
        return 0
    found = start_own(path)
    with dial(found["socket"]) as sock:
        if what == "twice":
            print(start(path, 99)["error"]["text"])
        else:
            print(sock.recv(16))
    return 0


if __name__ == "__main__":
    sys.exit(main())
