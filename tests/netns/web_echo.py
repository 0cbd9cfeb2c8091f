# SPDX-License-Identifier: GPL-2.0-only
"""A phone with pictures and plain RTP (RTP/AVP) that says back what it is told. For webphone.py.

It has a pair of ports for each media and knows no bundles, no rtcp-mux and no header extensions, but the
feedback messages NACK and PLI (RFC 4585) and retransmission (RFC 4588). Pictures go back under an SSRC of its own from the tenth
packet on, so without the picture to begin with; some packets are left out until the other side asks
for them. What it gets of feedback about its pictures it acts on: a PLI is passed on to the one who makes
them. It has packets repeated, too, that it has got.
"""
import asyncio
import re
import struct

from webphone import endpoint

CODECS = {"audio": "PCMU/8000", "video": "VP8/90000"}
PORTS = {"audio": 6000, "video": 6002}
OWN = {"audio": 0xEC40A, "video": 0xEC40B}
HELD_BACK = 10  # packets
LEFT_OUT = 40  # one of so many
ASKED_AGAIN = 0.3  # seconds
SR, RR, SDES, RTPFB, PSFB = 200, 201, 202, 205, 206


def packets(data):
    """The packets of a compound: type, count or format, body behind the first word."""
    while len(data) >= 4:
        first, kind, words = struct.unpack_from("!BBH", data)
        yield kind, first & 31, data[4:4 + 4 * words]
        data = data[4 + 4 * words:]


def compound(ssrc, kind, fmt, media, fci=b""):
    """A feedback message as RFC 4585 3.1 has it: behind a report and a CNAME."""
    cname = struct.pack("!BBHIBB6s", 0x81, SDES, 3, ssrc, 1, 4, b"echo\0\0")
    return (struct.pack("!BBHI", 0x80, RR, 1, ssrc) + cname +
            struct.pack("!BBHII", 0x80 | fmt, kind, 2 + len(fci) // 4, ssrc, media) + fci)


class Ear(asyncio.DatagramProtocol):
    def __init__(self, heard):
        self.heard = heard

    def datagram_received(self, data, addr):
        self.heard(data)


class Media:
    """One media: what has come, and the way back."""

    def __init__(self, kind, host):
        self.kind, self.host, self.own, self.ssrc, self.pt, self.rtx = kind, host, OWN[kind], 0, None, None
        self.seen, self.repeated, self.cache, self.resent = set(), 0, {}, 0
        self.rtcp = {"datagrams": 0, "sr": 0, "rr": 0, "pli": 0, "nack": 0}
        self.to = self.to_rtcp = None

    async def open(self):
        loop = asyncio.get_running_loop()
        port = PORTS[self.kind]
        self.out, _ = await loop.create_datagram_endpoint(
            lambda: Ear(self.rtp_came), local_addr=(self.host, port))
        self.out_rtcp, _ = await loop.create_datagram_endpoint(
            lambda: Ear(self.rtcp_came), local_addr=(self.host, port + 1))

    def close(self):
        self.out.close()
        self.out_rtcp.close()

    def offered(self, section, host):
        """Take what the relay offers; the section of the answer."""
        port = int(re.search(r"^m=\w+ (\d+) ", section).group(1))
        own = re.search(r"^c=IN IP4 (\S+)", section, re.M)
        rtcp = re.search(r"^a=rtcp:(\d+)", section, re.M)
        host = own.group(1) if own else host
        self.to = (host, port)
        self.to_rtcp = (host, int(rtcp.group(1)) if rtcp else port + 1)
        name = CODECS[self.kind]
        self.pt = int(re.search(rf"^a=rtpmap:(\d+) {name}", section, re.M).group(1))
        lines = [f"m={self.kind} {PORTS[self.kind]} RTP/AVP {self.pt}", f"a=rtpmap:{self.pt} {name}"]
        rtx = re.search(rf"^a=fmtp:(\d+) apt={self.pt}\b", section, re.M)
        if rtx:
            self.rtx = int(rtx.group(1))
            lines[0] += f" {self.rtx}"
            lines += [f"a=rtpmap:{self.rtx} rtx/90000", f"a=fmtp:{self.rtx} apt={self.pt}"]
        self.feedback = re.findall(rf"^a=rtcp-fb:(?:{self.pt}|\*) (nack|nack pli)\r?$", section, re.M)
        return lines + [f"a=rtcp-fb:{self.pt} {what}" for what in self.feedback]

    def rtp_came(self, data):
        if len(data) < 14 or data[1] & 0x7F not in (self.pt, self.rtx):
            return
        if data[1] & 0x7F == self.rtx:
            self.repeated += struct.unpack_from("!H", data, 12)[0] in self.seen
            return
        seq, self.ssrc = struct.unpack_from("!H", data, 2)[0], struct.unpack_from("!I", data, 8)[0]
        self.seen.add(seq)
        back = data[:8] + struct.pack("!I", self.own) + data[12:]
        self.cache[seq] = back
        if self.kind == "audio" or (len(self.seen) > HELD_BACK and len(self.seen) % LEFT_OUT):
            self.out.sendto(back, self.to)

    def rtcp_came(self, data):
        self.rtcp["datagrams"] += 1
        for kind, fmt, body in packets(data):
            source = struct.unpack_from("!I", body)[0]
            if kind == SR and source == self.ssrc:
                self.rtcp["sr"] += 1
            blocks = {SR: body[24:], RR: body[4:]}.get(kind, b"")
            if any(struct.unpack_from("!I", blocks, 24 * i)[0] == self.own for i in range(fmt if blocks else 0)):
                self.rtcp["rr"] += 1
            if kind in (RTPFB, PSFB) and struct.unpack_from("!I", body, 4)[0] == self.own:
                self.feedback_came(kind, fmt, body[8:])

    def feedback_came(self, kind, fmt, fci):
        if (kind, fmt) == (PSFB, 1):
            self.rtcp["pli"] += 1
            self.out_rtcp.sendto(compound(self.own, PSFB, 1, self.ssrc), self.to_rtcp)
        if (kind, fmt) == (RTPFB, 1):
            self.rtcp["nack"] += 1
            for pid, mask in struct.iter_unpack("!HH", fci):
                for seq in [pid] + [(pid + 1 + i) & 0xFFFF for i in range(16) if mask >> i & 1]:
                    if seq in self.cache:
                        self.resent += 1
                        self.out.sendto(self.cache[seq], self.to)

    def ask_again(self):
        last = max(self.seen, default=None)
        if last is not None:
            self.out_rtcp.sendto(compound(self.own, RTPFB, 1, self.ssrc, struct.pack("!HH", last, 0)),
                                 self.to_rtcp)

    def report(self):
        return {"received": len(self.seen), "repeated": self.repeated, "resent": self.resent,
                "feedback": self.feedback, "rtcp": self.rtcp}


class Peer:
    def __init__(self, args):
        self.host, _ = endpoint(args.local)

    async def start(self):
        self.media = {kind: Media(kind, self.host) for kind in CODECS}
        for media in self.media.values():
            await media.open()

    async def answer(self, sdp):
        head, *sections = re.split(r"^(?=m=)", sdp, flags=re.M)
        host = re.search(r"^c=IN IP4 (\S+)", head, re.M)
        lines = ["v=0", f"o=- 1 1 IN IP4 {self.host}", "s=-", f"c=IN IP4 {self.host}", "t=0 0"]
        self.profiles = re.findall(r"^m=\w+ \d+ (\S+)", sdp, re.M)
        for section in sections:
            kind = section[2:].split(" ")[0]
            lines += self.media[kind].offered(section, host and host.group(1))
        return "\r\n".join(lines) + "\r\n"

    async def connected(self, seconds):
        for _ in range(int(seconds * 10)):
            if all(media.seen for media in self.media.values()):
                self.asking = asyncio.create_task(self.ask())
                return True
            await asyncio.sleep(0.1)
        return False

    async def ask(self):
        while True:
            await asyncio.sleep(ASKED_AGAIN)
            self.media["video"].ask_again()

    async def report(self):
        return {"profiles": self.profiles, **{kind: media.report() for kind, media in self.media.items()}}

    async def stop(self):
        if hasattr(self, "asking"):
            self.asking.cancel()
        for media in self.media.values():
            media.close()
