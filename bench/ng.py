#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Offers, answers and deletes by the NG protocol, so many at a time: ng.py NAME HOST:PORT PID CALLS

Prints commands a second, and the processor time that the server took for each.
"""
import json
import os
import socket
import sys
import time

AT_ONCE = 16

SDP = ("v=0\r\no=- 1 1 IN IP4 10.77.1.2\r\ns=-\r\nc=IN IP4 10.77.1.2\r\nt=0 0\r\n"
       "m=audio %d RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
       "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n")


def bencode(value):
    if isinstance(value, dict):
        return "d" + "".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + "e"
    if isinstance(value, list):
        return "l" + "".join(map(bencode, value)) + "e"
    if isinstance(value, int):
        return f"i{value}e"
    return f"{len(value)}:{value}"


def commands(call):
    both = {"call-id": f"{call}@bench", "from-tag": "a"}
    yield {"command": "offer", "sdp": SDP % (6000 + call % 20000 * 2), **both,
           "replace": ["origin"], "ICE": "remove"}
    yield {"command": "answer", "sdp": SDP % (7000 + call % 20000 * 2), **both, "to-tag": "b",
           "replace": ["origin"]}
    # rtpengine would keep the ports for half a minute, and have none left
    yield {"command": "delete", "delete-delay": 0, **both}


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(sock, calls):
    """Each call's commands one after the other, AT_ONCE calls at a time; how many failed."""
    waiting, started, done, failed = {}, 0, 0, 0
    while done < calls:
        while started < calls and len(waiting) < AT_ONCE:
            todo = commands(started)
            waiting[str(started)] = todo
            sock.send(f"{started} {bencode(next(todo))}".encode())
            started += 1
        cookie, _, answer = sock.recv(65536).partition(b" ")
        call = cookie.decode().split(".")[0]
        failed += b"6:result2:ok" not in answer
        command = next(waiting[call], None)
        if command is None:
            del waiting[call]
            done += 1
        else:
            sock.send(f"{call}.{command['command']} {bencode(command)}".encode())
    return failed


def main():
    name, where, pid, calls = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    host, port = where.rsplit(":", 1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, int(port)))
    sock.settimeout(10)
    cpu, begin = cpu_s(pid), time.monotonic()
    failed = run(sock, calls)
    took = time.monotonic() - begin
    print(json.dumps({"what": "ng", "server": name, "calls": calls, "failed": failed,
                      "commands_per_s": round(3 * calls / took),
                      "cpu_us_per_command": round((cpu_s(pid) - cpu) * 1e6 / (3 * calls))}), flush=True)


main()
