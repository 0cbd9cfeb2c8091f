#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A phone that knows exactly what it should hear, for calls that others attack.

  rtp_party.py --local A:P --proxy A:P --media A:P --report FILE [--call URI | --answer]

RTP and RTCP, in the clear or, with --sdes, as SRTP with keys in SDP. With --says its description
names another address than its media comes from, as behind NAT. It rings for --ring seconds. Signals:
USR1 makes a re-INVITE, with a new key if there are keys; USR2 ends the call. Its output tells of
"ready", "answered" and "reinvited"; the report is JSON: what was sent, and heard, by SSRC. Every
packet that it sends is appended to the file --tape, as somebody on its way would have it.
"""
import argparse
import asyncio
import base64
import json
import os
import re
import signal
import socket
import struct

from webphone import Phone, endpoint, token, uri_of

PTIME = 0.02
RTCP_EVERY = 25  # packets
PCMA = 8
SO_RCVBUFFORCE = 33  # Linux; Python has no name for it
SUITE = "AES_CM_128_HMAC_SHA1_80"


def srtp_session(key, inbound):
    import pylibsrtp
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    return pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=kind))


def payload(ssrc, seq):
    return (struct.pack("!IH", ssrc, seq) * 27)[:160]


def rtp(ssrc, number):
    seq = number & 0xFFFF
    return struct.pack("!BBHII", 0x80, PCMA, seq, number * 160 & 0xFFFFFFFF, ssrc) + payload(ssrc, seq)


def rtcp(ssrc, packets):
    """A sender report and a CNAME (RFC 3550 6.1)."""
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, 0, 0, 0, packets, packets * 160)
    return report + struct.pack("!BBHIBB6s", 0x81, 202, 3, ssrc, 1, 4, b"cnam\0\0")


class Ear(asyncio.DatagramProtocol):
    def __init__(self, heard):
        self.heard = heard

    def datagram_received(self, data, addr):
        self.heard(data, addr)


class Media:
    def __init__(self, args):
        self.args, self.number, self.sent, self.rtcp_sent = args, args.seq, 0, 0
        self.to, self.key, self.their_key, self.early = None, None, None, []
        self.seal = self.open = None
        self.asking = False  # an answer is on its way, and the key in it may be in use already
        self.report = {"streams": {}, "rtcp": {}, "strangers": 0, "unreadable": 0, "byes": 0}
        self.tape = open(args.tape, "w", encoding="ascii", buffering=1) if args.tape else None

    async def start(self):
        loop, (host, port) = asyncio.get_running_loop(), endpoint(self.args.media)
        self.mouths = []
        for at, heard in ((port, self.heard_rtp), (port + 1, self.heard_rtcp)):
            mouth, _ = await loop.create_datagram_endpoint(
                lambda heard=heard: Ear(heard), local_addr=(host, at))
            mouth.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
            self.mouths.append(mouth)

    # ---- descriptions -------------------------------------------------------

    def describe(self, new_key):
        host, port = endpoint(self.args.says or self.args.media)
        lines = ["v=0", f"o=- {port} 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
                 f"m=audio {port} RTP/{'SAVP' if self.args.sdes else 'AVP'} {PCMA}",
                 f"a=rtpmap:{PCMA} PCMA/8000"]
        if self.args.sdes:
            if new_key or not self.key:
                self.key = os.urandom(30)
            lines.append(f"a=crypto:1 {SUITE} inline:{base64.b64encode(self.key).decode()}")
        return "\r\n".join(lines + ["a=sendrecv", ""])

    def understand(self, sdp):
        self.to = (re.search(r"^c=IN IP4 (\S+)", sdp, re.M).group(1),
                   int(re.search(r"^m=audio (\d+)", sdp, re.M).group(1)))
        if not self.args.sdes:
            return
        key = base64.b64decode(re.search(SUITE + r" inline:([^|\s]+)", sdp).group(1))
        if key != self.their_key:
            self.their_key, self.open = key, srtp_session(key, True)
        self.seal = srtp_session(self.key, False)

    async def offer(self):
        self.asking = True
        return self.describe(True)

    async def answer(self, sdp):
        text = self.describe(False)
        self.understand(sdp)
        return text

    async def answered(self, sdp):
        self.understand(sdp)
        self.asking = False

    # ---- packets ------------------------------------------------------------

    def is_relay(self, addr, above):
        """What comes before the answer is judged when that is known, by its source alone."""
        if not self.to:
            self.early.append((addr[0], addr[1] - above))
        elif addr != (self.to[0], self.to[1] + above):
            self.report["strangers"] += 1
        else:
            return True
        return False

    def heard_rtp(self, data, addr):
        if not self.is_relay(addr, 0):
            return
        try:
            if self.args.sdes:
                data = self.open.unprotect(data)
            seq, _, ssrc = struct.unpack("!HII", data[2:12])
        except Exception:  # whatever it was, it was not for this ear
            self.report["unreadable"] += not self.asking
            return
        stream = self.report["streams"].setdefault(f"{ssrc:#010x}", {"packets": 0, "bad": 0, "seqs": {}})
        stream["packets"] += 1
        stream["bad"] += data[12:] != payload(ssrc, seq)
        stream["seqs"][seq] = stream["seqs"].get(seq, 0) + 1

    def heard_rtcp(self, data, addr):
        if not self.is_relay(addr, 1):
            return
        try:
            if self.args.sdes:
                data = self.open.unprotect_rtcp(data)
            while data:
                kind, words, ssrc = struct.unpack("!BHI", data[1:8])
                self.report["rtcp"][f"{ssrc:#010x}"] = self.report["rtcp"].get(f"{ssrc:#010x}", 0) + 1
                self.report["byes"] += kind == 203
                data = data[4 * words + 4:]
        except Exception:
            self.report["unreadable"] += not self.asking

    def send(self, mouth, plain, seal):
        data = seal(plain) if self.args.sdes else plain
        self.mouths[mouth].sendto(data, (self.to[0], self.to[1] + mouth))
        if self.tape:
            print(("rtp", "rtcp")[mouth], data.hex(), file=self.tape)

    async def talk(self):
        loop, begin, n = asyncio.get_running_loop(), asyncio.get_running_loop().time(), 0
        while True:
            self.send(0, rtp(self.args.ssrc, self.number), self.seal and self.seal.protect)
            self.number, self.sent, n = self.number + 1, self.sent + 1, n + 1
            if n % RTCP_EVERY == 5:
                self.send(1, rtcp(self.args.ssrc, n), self.seal and self.seal.protect_rtcp)
                self.rtcp_sent += 1
            await asyncio.sleep(begin + n * PTIME - loop.time())

    def told(self):
        self.report["strangers"] += sum(addr != self.to for addr in self.early)
        for stream in self.report["streams"].values():
            seqs = stream.pop("seqs")
            stream["unique"], stream["duplicates"] = len(seqs), sum(seqs.values()) - len(seqs)
        return {"sent": self.sent, "rtcp_sent": self.rtcp_sent, **self.report}


class Party(Phone):
    """A phone that answers further INVITEs, and makes them."""

    async def await_call(self, peer):
        await self.register()
        print("ready", flush=True)
        invite = await asyncio.wait_for(self.inbox.get(), self.args.setup)
        self.route, self.target = invite.all("record-route"), uri_of(invite.get("contact"))
        self.call_id = invite.get("call-id")
        self.remote, self.from_ = invite.get("from"), f"{invite.get('to')};tag={self.tag}"
        self.reply(invite, 180, "Ringing")
        await asyncio.sleep(self.args.ring)
        self.reply(invite, 200, "OK", await peer.answer(invite.body))

    async def serve(self, peer):
        while True:
            message = await self.inbox.get()
            if message.method == "INVITE" and not message.status:
                self.reply(message, 200, "OK", await peer.answer(message.body))

    async def reinvite(self, peer):
        request = self.request("INVITE", self.target, self.remote, body=await peer.offer())
        response = await self.answer_of(request, 5)
        self.send(self.request("ACK", self.target, self.remote, cseq=self.cseq))
        if response.status != 200:
            raise RuntimeError(f"re-INVITE: {response.first}")
        await peer.answered(response.body)
        print("reinvited", flush=True)


async def signalled(party, media, wishes):
    while True:
        await wishes.get()
        await party.reinvite(media)


async def run(args):
    loop, media, wishes = asyncio.get_running_loop(), Media(args), asyncio.Queue()
    _, party = await loop.create_datagram_endpoint(lambda: Party(args), local_addr=endpoint(args.local))
    loop.add_signal_handler(signal.SIGUSR1, wishes.put_nowait, 1)
    loop.add_signal_handler(signal.SIGUSR2, party.ended.set)
    await media.start()
    await (party.call(args.call, media) if args.call else party.await_call(media))
    print("answered", *media.to, flush=True)
    await asyncio.sleep(args.quiet)
    tasks = [asyncio.ensure_future(media.talk()), asyncio.ensure_future(
        signalled(party, media, wishes) if args.call else party.serve(media))]
    ended = asyncio.ensure_future(party.ended.wait())
    done, _ = await asyncio.wait(tasks + [ended], timeout=args.seconds,
                                 return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for task in done:
        task.result()
    await asyncio.sleep(0.3)  # what is on its way
    if args.call:
        party.ended.clear()
        await party.hang_up()
    with open(args.report, "w", encoding="ascii") as file:
        json.dump(media.told(), file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--local", required=True)
    parser.add_argument("--proxy", required=True)
    parser.add_argument("--media", required=True)
    parser.add_argument("--says")
    parser.add_argument("--report", required=True)
    parser.add_argument("--tape")
    parser.add_argument("--call")
    parser.add_argument("--answer", action="store_true")
    parser.add_argument("--sdes", action="store_true")
    parser.add_argument("--user", default=token())
    parser.add_argument("--domain", default="example.test")
    parser.add_argument("--ssrc", type=lambda text: int(text, 0), default=0xA11CE001)
    parser.add_argument("--seq", type=int, default=65400, help="the first; it soon wraps")
    parser.add_argument("--ring", type=float, default=0)
    parser.add_argument("--quiet", type=float, default=0, help="seconds of silence after the answer")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--setup", type=float, default=15)
    args = parser.parse_args()
    if bool(args.call) == args.answer:
        parser.error("either --call or --answer")
    asyncio.run(run(args))


if __name__ == "__main__":
    main()
