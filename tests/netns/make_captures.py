#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Captures for inspect.t and replay.t, and what tshark says of them beside what tandem does.

  make_captures.py make FILE KIND       write a capture: jitter, loss, wrap, opus, two, call
  make_captures.py compare TSHARK JSON  the table of `tshark -q -z rtp,streams`, and `tandem inspect --json`
"""
import json
import random
import struct
import sys

SDP = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP {2}\r\na=rtpmap:{2} {3}\r\n"
SIP = (
    "{first}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:a@example.test>;tag=1\r\n"
    "To: <sip:b@example.test>\r\nCall-ID: call@example.test\r\nCSeq: 1 INVITE\r\n"
    "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
)


def datagram(src, dst, payload):
    def ip(text):
        return bytes(int(x) for x in text.split("."))

    udp = struct.pack("!HHHH", src[1], dst[1], 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ip(src[0]) + ip(dst[0])
    return bytes(12) + b"\x08\x00" + head + udp


def rtp(pt, seq, ts, ssrc, payload):
    return struct.pack("!BBHII", 0x80, pt, seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc) + payload


def stream(rng, pt=0, clock=8000, ssrc=0x1234, seq=100, count=500, jitter=0.0, loss=0.0, port=4000, to=6000, back=False):
    """(time, frame) of packets of 20 ms that never change places."""
    last = 0.0
    for i in range(count):
        when = max(i * 0.02 + rng.random() * jitter, last)
        last = when
        if i and rng.random() < loss:
            continue
        body = bytes(rng.randrange(256) for _ in range(160))
        ends = [("10.0.0.1", port), ("10.0.0.2", to)]
        if back:
            ends.reverse()
        yield when, datagram(*ends, rtp(pt, seq + i, i * clock // 50, ssrc, body))


def sip_call(codec):
    for when, src, dst, first in (
        (0.0, "10.0.0.1", "10.0.0.2", "INVITE sip:b@example.test SIP/2.0"),
        (0.5, "10.0.0.2", "10.0.0.1", "SIP/2.0 200 OK"),
    ):
        body = SDP.format(src, 4000 if src == "10.0.0.1" else 6000, *codec)
        text = SIP.format(first=first, length=len(body), body=body)
        yield when, datagram((src, 5060), (dst, 5060), text.encode())


def frames(kind):
    rng = random.Random(kind)
    if kind == "jitter":
        return list(stream(rng, jitter=0.015))
    if kind == "loss":
        return list(stream(rng, jitter=0.005, loss=0.05))
    if kind == "wrap":
        return list(stream(rng, pt=8, seq=65400, jitter=0.002, loss=0.02))
    if kind == "opus":
        return list(sip_call((111, "opus/48000/2"))) + [
            (1 + t, f) for t, f in stream(rng, pt=111, clock=48000, jitter=0.01)
        ]
    if kind == "call":
        # and a stream that is not of the call
        media = list(stream(rng, count=150, jitter=0.01)) + list(stream(rng, ssrc=0x5678, seq=65500, count=140, back=True))
        media += list(stream(rng, ssrc=0x9ABC, port=4010, to=6010, count=50))
        return list(sip_call((0, "PCMU/8000"))) + sorted(((0.6 + t, f) for t, f in media), key=lambda x: x[0])
    if kind == "two":
        both = list(stream(rng, count=100)) + list(stream(rng, pt=8, ssrc=0x5678, port=4002, count=100, jitter=0.01))
        return sorted(both, key=lambda x: x[0])
    raise SystemExit(f"no such kind: {kind}")


def make(path, kind):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for when, frame in frames(kind):
            ns = 1700000000 * 10**9 + round(when * 1e9)
            f.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(frame), len(frame)) + frame)


def tshark_streams(path):
    """SSRC to what tshark has of it."""
    found = {}
    for line in open(path):
        words = line.replace("(", " ").replace("%)", " ").split()
        at = next((i for i, w in enumerate(words) if w.startswith("0x")), None)
        if at is None:
            continue
        numbers = [w for w in words[at + 1 :] if w.replace(".", "").replace("-", "").isdigit()][-9:]
        packets, lost, _, _, mean, high, _, jitter, jitter_max = map(float, numbers)
        found[int(words[at], 16)] = (packets, lost, mean, high, jitter, jitter_max)
    return found


def compare(table, document):
    keys = ("packets", "lost", "delta_mean_ms", "delta_max_ms", "jitter_mean_ms", "jitter_max_ms")
    theirs = tshark_streams(table)
    ours = {int(s["ssrc"], 16): s for s in json.load(open(document))["streams"]}
    wrong = 0
    if not theirs or set(theirs) != set(ours):
        print(f"tshark has {[hex(s) for s in theirs]}, tandem {[hex(s) for s in ours]}")
        return 1
    for ssrc, values in theirs.items():
        for key, value in zip(keys, values):
            if abs(ours[ssrc].get(key, 0) - value) > 0.0021:
                print(f"0x{ssrc:08x}: {key}: tshark {value}, tandem {ours[ssrc].get(key)}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    else:
        sys.exit(compare(*sys.argv[2:]))
