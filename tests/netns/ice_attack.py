#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A caller with ICE that means no good, and strangers, against one call through the relay.

  ice_attack.py --proxy A:P --call URI

Its offer names a hundred candidates, none of which asked for anything. Then STUN comes to the
relay's port in floods, by those who know nothing, the user name, or everything. Prints a line
of JSON: what was asked and answered, in messages and octets.
"""
import argparse
import asyncio
import hashlib
import hmac
import json
import os
import socket
import struct
import threading
import time
import zlib

from webphone import Phone, endpoint

COOKIE = 0x2112A442
REQUEST, SUCCESS = 0x0001, 0x0101
USERNAME, INTEGRITY, PRIORITY, USE_CANDIDATE, FINGERPRINT, CONTROLLING = 6, 8, 0x24, 0x25, 0x8028, 0x802A
HERE, STRANGER, DENIED = "10.77.1.2", "10.77.1.9", "10.77.1.66"
UFRAG, PWD = "hostile0", "0123456789abcdefghijklmn"
PRINT = ":".join(["AB"] * 32)
# The last is a host on the other side that has nothing to do with the call.
TARGETS = ["127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", DENIED, "10.77.2.9"]


def attribute(kind, value=b""):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def finished(message, kind, value_of, size):
    """The message with one more attribute, of what is before it."""
    head = message[:2] + struct.pack("!H", len(message) - 20 + 4 + size) + message[4:]
    return head + attribute(kind, value_of(head))


def request(username=None, password=None, nominate=False):
    attributes = b""
    if username:
        attributes += attribute(USERNAME, username.encode())
        attributes += attribute(PRIORITY, struct.pack("!I", 0x6E0001FF))
        attributes += attribute(CONTROLLING, os.urandom(8))
    if nominate:
        attributes += attribute(USE_CANDIDATE)
    message = struct.pack("!HHI", REQUEST, len(attributes), COOKIE) + os.urandom(12) + attributes
    if password:
        message = finished(message, INTEGRITY,
                           lambda m: hmac.new(password.encode(), m, hashlib.sha1).digest(), 20)
    if username:
        message = finished(message, FINGERPRINT,
                           lambda m: struct.pack("!I", zlib.crc32(m) ^ 0x5354554E), 4)
    return message


def udp(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    sock.setblocking(False)
    return sock


def drain(sock, tally):
    while True:
        try:
            data = sock.recv(2048)
        except BlockingIOError:
            return
        tally["answered"] += 1
        tally["answered_bytes"] += len(data)
        tally["success"] += data[:2] == struct.pack("!H", SUCCESS)


def flood(sock, to, make, count=2000, seconds=2.0):
    """So many in that time; what came back, and within half a second."""
    tally = {"asked": 0, "asked_bytes": 0, "answered": 0, "answered_bytes": 0, "success": 0}
    begin = time.monotonic()
    for i in range(count):
        time.sleep(max(0, begin + i * seconds / count - time.monotonic()))
        tally["asked"] += 1
        tally["asked_bytes"] += sock.sendto(make(), to)
        drain(sock, tally)
    time.sleep(0.5)
    drain(sock, tally)
    return tally


def one(sock, to, make, seconds):
    """Does one of several requests get a success?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if flood(sock, to, make, 1, 0)["success"]:
            return True
    return False


class Hostile:
    """What a WebRTC peer is to a Phone."""

    async def offer(self):
        more = [f"198.18.0.{i + 1}" for i in range(90)]
        lines = ["v=0", f"o=- 1 1 IN IP4 {HERE}", "s=-", "t=0 0", f"a=fingerprint:sha-256 {PRINT}",
                 "m=audio 7000 UDP/TLS/RTP/SAVPF 8", f"c=IN IP4 {HERE}", "a=rtpmap:8 PCMA/8000",
                 "a=setup:actpass", "a=rtcp-mux", f"a=ice-ufrag:{UFRAG}", f"a=ice-pwd:{PWD}"]
        lines += [f"a=candidate:{i} 1 UDP {2130706431 - i} {host} {6000 + i} typ host"
                  for i, host in enumerate(TARGETS + more)]
        return "\r\n".join(lines + ["a=end-of-candidates", ""])

    async def answered(self, sdp):
        values = {}
        for line in sdp.splitlines():
            name, _, value = line.partition(":")
            values.setdefault(name, value)
        self.ufrag, self.pwd = values["a=ice-ufrag"], values["a=ice-pwd"]
        _, _, _, _, host, port, *_ = values["a=candidate"].split()
        self.to = host, int(port)


def attack(peer):
    username = f"{peer.ufrag}:{UFRAG}"
    here, stranger, denied = udp(HERE, 7000), udp(STRANGER, 7001), udp(DENIED, 7002)
    report = {
        "bare": flood(stranger, peer.to, request),
        "wrong_password": flood(stranger, peer.to, lambda: request(username, "x" * 24, True)),
        "wrong_name": flood(stranger, peer.to, lambda: request(f"guess:{UFRAG}", "x" * 24, True)),
        "insider": flood(udp(HERE, 7003), peer.to, lambda: request(username, peer.pwd)),
        "denied": flood(denied, peer.to, lambda: request(username, peer.pwd, True), 40),
        "served": one(here, peer.to, lambda: request(username, peer.pwd, True), 5),
        "hijack": flood(stranger, peer.to, lambda: request(username, "y" * 24, True), 100),
    }
    # Consent checks for some seconds, beside a flood; that they end is what the relay is to see.
    noise = threading.Thread(target=flood, args=(stranger, peer.to, request, 7000, 7))
    noise.start()
    report["consent"] = flood(here, peer.to, lambda: request(username, peer.pwd), 7, 7)
    noise.join()
    return report


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proxy", required=True)
    parser.add_argument("--call", required=True)
    parser.add_argument("--pause", type=float, default=40, help="seconds of silence before the end")
    args = parser.parse_args()
    args.local, args.user, args.domain, args.setup = f"{HERE}:5060", "mallory", "example.test", 10
    _, phone = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Phone(args), local_addr=endpoint(args.local))
    peer = Hostile()
    await phone.call(args.call, peer)
    report = attack(peer)
    print(json.dumps(report), flush=True)
    await asyncio.sleep(args.pause)
    await phone.hang_up()


asyncio.run(main())
