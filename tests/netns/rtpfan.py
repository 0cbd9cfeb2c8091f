#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The two ends of a forward: a sender whose packets are known beforehand, and receivers on all
its legs that judge each packet by what the forward's document says of its leg.

  rtpfan.py legs COUNT [--host A] [--from A]    a list of so many legs, each with a translation of
                                                its own, as JSON
  rtpfan.py send OPTIONS                        send; says what as JSON
  rtpfan.py receive FORWARD OPTIONS             receive till all is there or the time is over; a
                                                line "ready" on stderr, then a report as JSON

Packet k of a stream: sequence number FIRST_SEQ + k, timestamp FIRST_TS + 160 k, 160 octets of
payload that follow from k and the SSRC, and with --extension elements 3 (one octet) and 4 (three).
FORWARD is what `tandem forward show --json` prints. With --keys, the document as it was set, which
has the keys that the other does not show, packets are SRTP (by libsrtp) wherever that says so.
"""
import argparse
import base64
import ipaddress
import json
import selectors
import socket
import struct
import sys
import time

FIRST_SEQ = 65500  # wraps on the way
FIRST_TS = 0xFFFFF000
OCTETS = 160
EXTENSION = 0xBEDE
SO_RCVBUFFORCE = 33  # these two are not in the module
IP_RECVTTL = 12


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def payload_of(k, ssrc):
    return bytes((k * 7 + ssrc + i) & 0xFF for i in range(OCTETS))


def extension_of(k, ids):
    """Elements 3 and 4 under the ids that they have on this side; None: removed."""
    body = b""
    for element, value in ((3, bytes([k & 0xFF])), (4, bytes([k & 0xFF, 2, 3]))):
        size = 1 + len(value)
        new = ids.get(element)
        body += bytes([new << 4 | len(value) - 1]) + value if new else bytes(size)
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", EXTENSION, len(body) // 4) + body


def packet(k, ssrc, pt, ids):
    head = struct.pack("!BBHII", 0x90 if ids else 0x80, pt, (FIRST_SEQ + k) & 0xFFFF,
                       (FIRST_TS + 160 * k) & 0xFFFFFFFF, ssrc)
    return head + (extension_of(k, ids) if ids else b"") + payload_of(k, ssrc)


def document(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def number(text):
    return int(text, 0) if isinstance(text, str) else text


# ---- SRTP -----------------------------------------------------------------


def session_of(srtp, inbound):
    """A libsrtp session for the object "srtp" of a document."""
    from pylibsrtp import Policy, Session
    profile = getattr(Policy, {"AES_CM_128_HMAC_SHA1_80": "SRTP_PROFILE_AES128_CM_SHA1_80",
                               "AES_CM_128_HMAC_SHA1_32": "SRTP_PROFILE_AES128_CM_SHA1_32",
                               "AEAD_AES_128_GCM": "SRTP_PROFILE_AEAD_AES_128_GCM"}[srtp["suite"]])
    key = base64.b64decode(srtp["key"].removeprefix("inline:"))
    kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    return Session(policy=Policy(key=key, ssrc_type=kind, srtp_profile=profile))


def keyed(value, inbound):
    return session_of(value, inbound) if isinstance(value, dict) else None


# ---- legs -----------------------------------------------------------------


def legs(args):
    out = []
    for i in range(args.count):
        out.append({
            "id": 1000 + i,
            "to": f"{args.host}:{6000 + 2 * i}",
            "from": args.source,
            "ssrc": [args.ssrc, f"{0x50000000 + i:#010x}"],
            "seq_offset": 1000 * i + 1,
            "ts_offset": 100000 * i + 7,
            "payload_types": {"0": 64 + i % 60 if i else 0},
            "dscp": i % 64,
        })
    print(json.dumps(out))


# ---- sending --------------------------------------------------------------


def sending_socket(args):
    host, port = endpoint(args.bind)
    group = ipaddress.ip_address(endpoint(args.to)[0])
    family = socket.AF_INET6 if group.version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((host, port))
    if group.is_multicast and group.version == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
    elif group.is_multicast:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                        socket.if_nametoindex(args.interface))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
    return sock


def report_of(ssrc, k):
    """An SR without blocks."""
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, 0x11111111 + k, 0, FIRST_TS, k, k * OCTETS)


def send(args):
    sock = sending_socket(args)
    to = endpoint(args.to)
    ids = {3: 3, 4: 4} if args.extension else {}
    srtp = keyed(args.keys and document(args.keys).get("srtp"), False)
    rtp, rtcp = (srtp.protect, srtp.protect_rtcp) if srtp else (bytes, bytes)
    begin = time.monotonic()
    for k in range(args.first, args.first + args.count):
        wait = begin + (k - args.first) * args.ptime / 1000 - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        for ssrc in args.ssrcs:
            sock.sendto(rtp(packet(k, ssrc, args.pt, ids)), to)
            if args.rtcp and k % args.rtcp == 0:
                sock.sendto(rtcp(report_of(ssrc, k)), to)
    print(json.dumps({"sent": args.count * len(args.ssrcs)}))


# ---- receiving ------------------------------------------------------------


def ulaw_value(code):
    """ITU-T G.711: 14 bits, as 16."""
    code = ~code & 0xFF
    value = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -value if code & 0x80 else value


def alaw_value(code):
    """13 bits, as 16."""
    code ^= 0x55
    segment = code >> 4 & 7
    value = (code & 15) << 4 | 8
    value = value + 0x100 << segment - 1 if segment else value
    return value if code & 0x80 else -value


def law_tables():
    """For each code of one law the codes of the other that decode nearest to it."""
    ulaw = [ulaw_value(c) for c in range(256)]
    alaw = [alaw_value(c) for c in range(256)]
    tables = {}
    for name, mine, other in (("pcma", ulaw, alaw), ("pcmu", alaw, ulaw)):
        tables[name] = []
        for value in mine:
            best = min(abs(value - x) for x in other)
            tables[name].append({c for c, x in enumerate(other) if abs(value - x) == best})
    return tables


class Leg:
    """What one leg is to get: streams by the SSRC that they arrive here with."""

    def __init__(self, doc, shown, ssrcs, args):
        self.doc = doc
        self.shown = shown
        self.args = args
        self.pt = args.pt
        self.law = None
        if doc.get("g711"):
            want = 8 if doc["g711"] == "pcma" else 0
            if args.pt != want and args.pt in (0, 8):
                self.law = doc["g711"]
                self.pt = want
        self.pt = doc.get("payload_types", {}).get(str(args.pt), self.pt)
        self.ids = {3: 3, 4: 4} if args.extension else {}
        if args.extension and "extensions" in doc:
            self.ids = {e: doc["extensions"].get(str(e)) for e in (3, 4)}
        self.streams = {}
        for ssrc in ssrcs:
            self.streams[self.ssrc_out(ssrc)] = ssrc
        self.seen = {ssrc: set() for ssrc in ssrcs}
        self.duplicates = self.wrong = self.rtcp = 0
        self.first_wrong = ""
        self.srtp = keyed(doc.get("srtp"), True)

    def ssrc_out(self, ssrc):
        rule = self.doc.get("ssrc")
        if isinstance(rule, list):
            return number(rule[1]) if number(rule[0]) == ssrc else ssrc
        return number(rule) if rule is not None else ssrc

    def expected(self):
        return self.args.count * len(self.streams)

    def received(self):
        return sum(len(s) for s in self.seen.values())

    def bad(self, why):
        self.wrong += 1
        self.first_wrong = self.first_wrong or why

    def judge_payload(self, k, ssrc, got):
        want = payload_of(k, ssrc)
        if not self.law:
            return got == want
        table = TABLES[self.law]
        return len(got) == len(want) and all(g in table[w] for g, w in zip(got, want))

    def clear(self, data):
        """What an SRTP packet was before; None: it is none of this leg's."""
        try:
            rtcp = len(data) >= 8 and 200 <= data[1] <= 207
            return self.srtp.unprotect_rtcp(data) if rtcp else self.srtp.unprotect(data)
        except Exception as error:  # of pylibsrtp, wherever that has it
            self.bad(f"SRTP: {error}")
            return None

    def packet(self, data, source, ttl, tos):
        if self.srtp:
            data = self.clear(data)
            if data is None:
                return
        if len(data) >= 8 and 200 <= data[1] <= 207:
            self.rtcp += 1
            if struct.unpack("!I", data[4:8])[0] not in self.streams:
                self.bad("RTCP of another SSRC")
            return
        if len(data) < 12:
            self.bad("too short")
            return
        first, pt, seq, ts, out = struct.unpack("!BBHII", data[:12])
        if out not in self.streams:
            self.bad(f"ssrc {out:#x}")
            return
        ssrc = self.streams[out]
        k = (seq - self.doc.get("seq_offset", 0) - FIRST_SEQ) & 0xFFFF
        head = 12
        if self.args.extension:
            head += 4 + 4 * struct.unpack("!H", data[14:16])[0]
        checks = (
            (k < self.args.count, f"seq {seq}"),
            (ts == (FIRST_TS + 160 * k + self.doc.get("ts_offset", 0)) & 0xFFFFFFFF, f"ts {ts}"),
            (pt == self.pt, f"pt {pt}"),
            (first == (0x90 if self.args.extension else 0x80), f"first octet {first:#x}"),
            (not self.args.extension or data[12:head] == extension_of(k, self.ids),
             f"extension {data[12:head].hex()}"),
            (source == self.shown["from"], f"from {source}"),
            (ttl == (self.doc.get("ttl") or ttl), f"ttl {ttl}"),
            ("dscp" not in self.doc or tos >> 2 == self.doc["dscp"], f"tos {tos:#x}"),
            (self.judge_payload(k, ssrc, data[head:]), "payload"),
        )
        for good, why in checks:
            if not good:
                self.bad(f"packet {k}: {why}")
                return
        if k in self.seen[ssrc]:
            self.duplicates += 1
        self.seen[ssrc].add(k)

    def missing(self):
        """The first few that did not come, by their place in the stream."""
        return [f"{ssrc:#x}/{k}" for ssrc, seen in self.seen.items()
                for k in range(self.args.count) if k not in seen][:8]

    def report(self):
        return {"id": self.shown["id"], "received": self.received(), "expected": self.expected(),
                "duplicates": self.duplicates, "wrong": self.wrong, "rtcp": self.rtcp,
                "first_wrong": self.first_wrong, "missing": self.missing()}


def join(sock, host, args):
    index = socket.if_nametoindex(args.interface)
    if ":" in host:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        socket.inet_pton(socket.AF_INET6, host) + struct.pack("@i", index))
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        struct.pack("=4s4si", socket.inet_aton(host), bytes(4), index))


def listen(to, args):
    host, port = endpoint(to)
    six = ":" in host
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind((host, port))
    if ipaddress.ip_address(host).is_multicast:
        join(sock, host, args)
    if six:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    sock.setblocking(False)
    return sock


def drain(sock, leg):
    while True:
        try:
            data, more, _, source = sock.recvmsg(2048, 256)
        except BlockingIOError:
            return
        ttl = tos = None
        for level, kind, value in more:
            if (level, kind) in ((socket.IPPROTO_IP, socket.IP_TTL),
                                 (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)):
                ttl = struct.unpack("=i", value[:4])[0]
            elif (level, kind) in ((socket.IPPROTO_IP, socket.IP_TOS),
                                   (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)):
                tos = value[0]
        host = f"[{source[0]}]" if ":" in source[0] else source[0]
        leg.packet(data, f"{host}:{source[1]}", ttl, tos)


def find_legs(shown, args):
    """The legs of the document beside what the relay shows of them, and the SSRCs they get."""
    doc = document(args.keys) if args.keys else shown["forward"]
    named = [number(r["ssrc"]) for r in doc.get("ssrc", [])]
    rules = [(doc["out"], [s for s in args.ssrcs if s not in named])] if "out" in doc else []
    rules += [(r["out"], [number(r["ssrc"])]) for r in doc.get("ssrc", [])]
    wanted = [(leg, [s for s in ssrcs if s in args.ssrcs]) for out, ssrcs in rules for leg in out]
    return [Leg(leg, shown["legs"][i], [] if args.silent else ssrcs, args)
            for i, (leg, ssrcs) in enumerate(wanted)]


def receive(args):
    found = find_legs(document(args.forward), args)
    selector = selectors.DefaultSelector()
    for leg in found:
        selector.register(listen(leg.doc["to"], args), selectors.EVENT_READ, leg)
    print("ready", file=sys.stderr, flush=True)
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            drain(key.fileobj, key.data)
        if not args.silent and all(leg.received() >= leg.expected() for leg in found):
            end = min(end, time.monotonic() + 0.3)  # what comes twice, or too much
    reports = [leg.report() for leg in found]
    total = {k: sum(r[k] for r in reports)
             for k in ("received", "expected", "duplicates", "wrong", "rtcp")}
    total["first_wrong"] = next((r["first_wrong"] for r in reports if r["first_wrong"]), "")
    print(json.dumps({"total": total, "legs": reports}))


TABLES = law_tables()


def main():
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(required=True)
    m = sub.add_parser("legs")
    m.add_argument("count", type=int)
    m.add_argument("--host", default="10.77.2.2")
    m.add_argument("--from", dest="source", default="10.77.2.1")
    m.add_argument("--ssrc", default="0x11223344")
    m.set_defaults(run=legs)
    for name, run in (("send", send), ("receive", receive)):
        m = sub.add_parser(name)
        m.add_argument("--count", type=int, default=100)
        m.add_argument("--ssrcs", type=lambda t: [number(s) for s in t.split(",")],
                       default=[0x11223344])
        m.add_argument("--pt", type=int, default=0)
        m.add_argument("--extension", action="store_true")
        m.add_argument("--interface", default="phone0")
        m.add_argument("--keys", help="the document with its keys")
        m.set_defaults(run=run)
        if name == "send":
            m.add_argument("--bind", default="10.77.1.2:4000")
            m.add_argument("--to", required=True)
            m.add_argument("--first", type=int, default=0)
            m.add_argument("--ptime", type=float, default=10)
            m.add_argument("--rtcp", type=int, default=0, help="an SR after every so many packets")
        else:
            m.add_argument("forward")
            m.add_argument("--seconds", type=float, default=8)
            m.add_argument("--silent", action="store_true", help="nothing is expected")
    args = p.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
