#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tshark as an independent judge of loss and jitter.

  judge.py streams CAPTURE                        per stream, as JSON
  judge.py compare CAPTURE SESSION.json [--ssrc S] [--src A:P] [--dst A:P]
                   [--from a|b] [--tolerance 5]   status 0 when they agree
  judge.py ports CAPTURE                          UDP sources, one a line
  judge.py payload CAPTURE --ssrc S --dst A:P FILE  payload in sequence order

tshark 4.0 prints minimum, mean and maximum of the RFC 3550 A.8 estimate J but
not its last value, and its Lost counts duplicates and trusts the packet that
came last. So J and the losses are computed here from tshark's per-packet
fields, on unique sequence numbers; and to prove that this is the same J, its
minimum, mean and maximum are first checked against the columns that tshark
itself prints for the same capture.

A stream is (source, destination, SSRC), as tshark has it.
"""
import argparse
import json
import subprocess
import sys
from decimal import Decimal

import session

DECODE = ["-d", "udp.port==0-65535,rtp"]
CLOCKS = {0: 8000, 3: 8000, 4: 8000, 5: 8000, 6: 16000, 8: 8000, 9: 8000, 13: 8000, 18: 8000}
DEFAULT_CLOCK = 8000


def tshark(capture, *args):
    done = subprocess.run(["tshark", "-r", capture, *DECODE, *args], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout


def endpoint(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


class Stream:
    """One stream of a capture, packet by packet in the order of arrival."""

    def __init__(self, src, dst, ssrc):
        self.src, self.dst, self.ssrc = src, dst, ssrc
        self.seen = {}
        self.packets = self.duplicates = self.reordered = 0
        self.top = self.bottom = self.last = None
        self.j = self.j_max = self.j_sum = 0.0
        self.j_min = -1.0
        self.shown = [0.0, 0.0]  # mean and max as tshark has them: without markers

    def take(self, when, seq, ts, marker, pt, payload):
        ext = seq if self.top is None else self.top + ((seq - self.top + 0x8000) % 0x10000 - 0x8000)
        self.jitter(when, ts, marker, CLOCKS.get(pt, DEFAULT_CLOCK))
        self.packets += 1
        if ext in self.seen:
            self.duplicates += 1
            return
        self.seen[ext] = payload
        if self.top is None:
            self.top = self.bottom = ext
        elif ext < self.top:
            self.reordered += 1
        self.top = max(self.top, ext)
        self.bottom = min(self.bottom, ext)

    def jitter(self, when, ts, marker, clock):
        if self.last:
            d = (ts - self.last[1] + 2**31) % 2**32 - 2**31
            # as tshark divides: whole units per millisecond
            diff = abs(float(when - self.last[0]) * 1000 - d / (clock // 1000))
            self.j = (15 * self.j + diff) / 16
            self.j_sum += self.j
            self.j_max = max(self.j_max, self.j)
            if not marker:
                self.j_min = self.j if self.j_min < 0 else min(self.j_min, self.j)
                n = self.packets
                self.shown = [(self.shown[0] * (n - 1) + self.j) / n, max(self.shown[1], self.j)]
        self.last = (when, ts)

    def result(self):
        unique = len(self.seen)
        return {
            "src": self.src, "dst": self.dst, "ssrc": f"0x{self.ssrc:08x}",
            "packets": self.packets, "unique": unique,
            "lost": self.top - self.bottom + 1 - unique,
            "duplicates": self.duplicates, "reordered": self.reordered,
            "jitter_ms": round(self.j, 6), "jitter_max_ms": round(self.j_max, 6),
            "jitter_mean_ms": round(self.j_sum / max(1, self.packets - 1), 6),
        }


def read_packets(capture):
    fields = ["frame.time_epoch", "ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst",
              "udp.dstport", "rtp.ssrc", "rtp.seq", "rtp.timestamp", "rtp.marker", "rtp.p_type",
              "rtp.payload"]
    args = ["-Y", "rtp && !icmp && !icmpv6", "-T", "fields"]
    for f in fields:
        args += ["-e", f]
    streams = {}
    for line in tshark(capture, *args).splitlines():
        v = line.split("\t")
        if not v[8]:
            continue
        key = (endpoint(v[1] or v[2], v[3]), endpoint(v[4] or v[5], v[6]), int(v[7], 16))
        s = streams.setdefault(key, Stream(*key))
        s.take(Decimal(v[0]), int(v[8]), int(v[9]), v[10] in ("1", "True"), int(v[11]), v[12])
    return list(streams.values())


def prove(capture, streams):
    """Our J against tshark's columns. Returns what differs, in words."""
    wrong = []
    rows = {}
    for line in tshark(capture, "-q", "-z", "rtp,streams").splitlines():
        v = line.split()
        if len(v) < 15 or not v[6].startswith("0x"):
            continue
        tail = v[-1] == "X" and v[:-1] or v
        rows[(endpoint(v[2], v[3]), endpoint(v[4], v[5]), int(v[6], 16))] = (
            [float(x) for x in tail[-3:]])
    for s in streams:
        row = rows.get((s.src, s.dst, s.ssrc))
        if not row:
            wrong.append(f"tshark lists no stream {s.src} {s.dst} 0x{s.ssrc:08x}")
            continue
        for name, mine, theirs in (("mean", s.shown[0], row[1]), ("max", s.shown[1], row[2])):
            if abs(mine - theirs) > 0.002 + theirs * 0.001:
                wrong.append(f"{s.src} 0x{s.ssrc:08x}: {name} jitter {mine:.3f}, tshark {theirs:.3f}")
    return wrong


def choose(streams, args):
    found = [s for s in streams
             if (args.ssrc is None or s.ssrc == int(args.ssrc, 16))
             and (args.src is None or s.src == args.src)
             and (args.dst is None or s.dst == args.dst)]
    if len(found) != 1:
        listing = "; ".join(f"{s.src} > {s.dst} 0x{s.ssrc:08x}" for s in streams)
        raise SystemExit(f"judge: {len(found)} streams of the capture match: {listing}")
    return found[0]


def relay_stream(doc, ssrc, side):
    found = [s for s in session.streams(doc)
             if int(s["ssrc"], 16) == ssrc and (side is None or s.get("from") == side)]
    if len(found) != 1:
        raise SystemExit(f"judge: {len(found)} streams 0x{ssrc:08x} in the session")
    return found[0]


def differences(want, have, tolerance):
    for name in ("packets", "lost", "duplicates", "reordered"):
        if name in have and have[name] != want[name]:
            yield f"{name}: {have[name]}, tshark {want[name]}"
    for name in ("jitter_ms", "jitter_max_ms", "jitter_mean_ms"):
        if name not in have:
            if name == "jitter_ms":
                yield "jitter_ms: missing"
            continue
        # below a tenth of a millisecond the two clocks' distance is what is measured
        if abs(have[name] - want[name]) > max(want[name] * tolerance / 100, 0.1):
            yield f"{name}: {have[name]}, tshark {want[name]}"


def compare(streams, args):
    with open(args.session, encoding="utf-8") as f:
        doc = json.load(f)
    stream = choose(streams, args)
    want, have = stream.result(), relay_stream(doc, stream.ssrc, args.side)
    wrong = list(differences(want, have, args.tolerance))
    print(json.dumps({"tshark": want, "relay": have, "wrong": wrong}, indent=1))
    return 1 if wrong else 0


def main():
    p = argparse.ArgumentParser(description="tshark as judge")
    p.add_argument("verb", choices=("streams", "compare", "ports", "payload"))
    p.add_argument("capture")
    p.add_argument("session", nargs="?", help="session JSON, or the payload file to write")
    p.add_argument("--ssrc")
    p.add_argument("--src")
    p.add_argument("--dst")
    p.add_argument("--from", dest="side")
    p.add_argument("--tolerance", type=float, default=5.0)
    args = p.parse_args()
    streams = read_packets(args.capture)
    if args.verb == "ports":
        print("\n".join(sorted({s.src for s in streams})))
        return 0
    if args.verb == "payload":
        stream = choose(streams, args)
        with open(args.session, "wb") as f:
            for ext in sorted(stream.seen):
                f.write(bytes.fromhex(stream.seen[ext].replace(":", "")))
        return 0
    wrong = prove(args.capture, streams)
    for w in wrong:
        print(f"judge: {w}", file=sys.stderr)
    if not streams:
        raise SystemExit("judge: no RTP in the capture")
    if args.verb == "compare":
        return compare(streams, args) or (1 if wrong else 0)
    print(json.dumps({"streams": [s.result() for s in streams]}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
