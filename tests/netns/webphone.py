#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A SIP phone whose media is WebRTC: a headless Chromium, or aiortc; or plain RTP that it says back.

  webphone.py --local A:P --proxy A:P [--call URI | --answer] [--peer chromium|aiortc|echo]
              [--user NAME] [--tone HZ] [--seconds N] [--setup N] [--video] [--data]
              [--apart] [--hide-ssrcs] [--hush]

One call: made, or registered for and awaited. Its signalling is SIP over UDP, just enough for one
dialog behind a proxy that records its route. The browser plays a tone; what it hears is
judged by the strongest frequency. Prints a line of JSON at the end of the call; exit status 0 when
the media was connected.
"""
import argparse
import asyncio
import importlib
import json
import random
import re
import sys

T1 = 0.5  # RFC 3261 17.1.1.1


def token(n=10):
    return "".join(random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(n))


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class Message:
    """A SIP message: a first line, headers in order, a body."""

    SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "c": "content-type",
             "l": "content-length"}

    def __init__(self, first, headers, body=""):
        self.first, self.headers, self.body = first, headers, body

    @classmethod
    def parse(cls, data):
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((cls.SHORT.get(name.strip().lower(), name.strip().lower()), value.strip()))
        return cls(first, headers, body)

    def bytes(self):
        lines = [self.first] + [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body.encode())}")
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def get(self, name):
        return (self.all(name) or [""])[0]

    @property
    def status(self):
        return int(self.first.split()[1]) if self.first.startswith("SIP/") else 0

    @property
    def method(self):
        return self.get("cseq").split()[-1] if self.status else self.first.split()[0]


def uri_of(value):
    found = re.search(r"<([^>]+)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


class Phone(asyncio.DatagramProtocol):
    def __init__(self, args):
        self.args = args
        self.local, self.proxy = endpoint(args.local), endpoint(args.proxy)
        self.me = f"sip:{args.user}@{args.domain}"
        self.contact = f"<sip:{args.user}@{args.local}>"
        self.tag, self.call_id, self.cseq = token(), f"{token()}@{self.local[0]}", 0
        self.route, self.target, self.remote, self.from_ = [], None, None, f"<{self.me}>;tag={self.tag}"
        self.inbox = asyncio.Queue()
        self.ended = asyncio.Event()
        self.repeats = {}  # requests that were answered, by branch

    def connection_made(self, transport):
        self.transport = transport

    def send(self, message):
        self.transport.sendto(message.bytes(), self.proxy)

    def datagram_received(self, data, addr):
        message = Message.parse(data)
        if message.status or message.method == "ACK":
            self.inbox.put_nowait(message)
            return
        branch = message.get("via")
        if branch in self.repeats:
            self.transport.sendto(self.repeats[branch], addr)
            return
        if message.method == "INVITE":
            self.inbox.put_nowait(message)
            return
        self.reply(message, 200, "OK")
        if message.method in ("BYE", "CANCEL"):
            self.ended.set()

    def reply(self, request, status, phrase, body="", extra=()):
        headers = [("Via", via) for via in request.all("via")]
        headers += [("Record-Route", route) for route in request.all("record-route")]
        to = request.get("to")
        if "tag=" not in to and status > 100:
            to += f";tag={self.tag}"
        headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id")),
                    ("CSeq", request.get("cseq")), ("Contact", self.contact), *extra]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        message = Message(f"SIP/2.0 {status} {phrase}", headers, body)
        self.repeats[request.get("via")] = message.bytes()
        self.send(message)

    def request(self, method, uri, to, extra=(), body="", cseq=None):
        if cseq is None:
            self.cseq += 1
        via = f"SIP/2.0/UDP {self.args.local};branch=z9hG4bK{token()};rport"
        headers = [("Via", via), ("Max-Forwards", "70"), ("From", self.from_), ("To", to),
                   ("Call-ID", self.call_id), ("CSeq", f"{cseq or self.cseq} {method}"),
                   ("Contact", self.contact), *extra]
        headers += [("Route", route) for route in self.route]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return Message(f"{method} {uri} SIP/2.0", headers, body)

    async def answer_of(self, request, seconds):
        """Send until answered; the final response."""
        loop = asyncio.get_running_loop()
        end, wait, quiet = loop.time() + seconds, T1, False
        self.send(request)
        while True:
            try:
                message = await asyncio.wait_for(self.inbox.get(), min(wait, end - loop.time()))
            except asyncio.TimeoutError:
                if loop.time() >= end:
                    raise TimeoutError(f"no answer to {request.method}") from None
                wait = min(2 * wait, 4)
                if not quiet:
                    self.send(request)
                continue
            if message.status and message.method == request.method:
                quiet = True
                if message.status >= 200:
                    return message

    async def register(self):
        request = self.request("REGISTER", f"sip:{self.args.domain}", f"<{self.me}>",
                               [("Expires", "300")])
        response = await self.answer_of(request, 5)
        if response.status != 200:
            raise RuntimeError(f"REGISTER: {response.first}")
        self.call_id = f"{token()}@{self.local[0]}"

    def told(self, sdp):
        """What the other side gets to see of the description."""
        lines, hide = sdp.split("\r\n"), getattr(self.args, "hide_ssrcs", False)
        return "\r\n".join(x for x in lines if not (hide and x.startswith("a=ssrc")))

    async def call(self, uri, peer):
        request = self.request("INVITE", uri, f"<{uri}>", body=self.told(await peer.offer()))
        response = await self.answer_of(request, self.args.setup)
        if response.status >= 300:
            ack = self.request("ACK", uri, response.get("to"), cseq=self.cseq)
            ack.headers[0] = ("Via", request.get("Via"))
            self.send(ack)
            raise RuntimeError(f"INVITE: {response.first}")
        self.route = list(reversed(response.all("record-route")))
        self.target, self.remote = uri_of(response.get("contact")), response.get("to")
        self.send(self.request("ACK", self.target, self.remote, cseq=self.cseq))
        await peer.answered(response.body)

    async def await_call(self, peer):
        await self.register()
        print("ready", file=sys.stderr, flush=True)
        invite = await asyncio.wait_for(self.inbox.get(), self.args.setup)
        self.route, self.target = invite.all("record-route"), uri_of(invite.get("contact"))
        self.call_id = invite.get("call-id")
        self.remote, self.from_ = invite.get("from"), f"{invite.get('to')};tag={self.tag}"
        self.reply(invite, 180, "Ringing")
        self.reply(invite, 200, "OK", self.told(await peer.answer(invite.body)))
        await asyncio.wait_for(self.inbox.get(), 8)

    async def hang_up(self):
        if self.target and not self.ended.is_set():
            await self.answer_of(self.request("BYE", self.target, self.remote), 5)


async def run(args):
    peer = importlib.import_module(f"web_{args.peer}").Peer(args)
    _, phone = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Phone(args), local_addr=endpoint(args.local))
    report = {"connected": False}
    try:
        await peer.start()
        if args.call:
            await phone.call(args.call, peer)
        else:
            await phone.await_call(peer)
        report["connected"] = await peer.connected(args.setup)
        try:
            await asyncio.wait_for(phone.ended.wait(), args.seconds)
        except asyncio.TimeoutError:
            pass
        report.update(await peer.report())
        await phone.hang_up()
    except (RuntimeError, TimeoutError, asyncio.TimeoutError) as error:
        report["error"] = str(error) or type(error).__name__
    finally:
        await peer.stop()
    print(json.dumps(report), flush=True)
    return 0 if report["connected"] and "error" not in report else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--local", required=True)
    parser.add_argument("--proxy", required=True)
    parser.add_argument("--call")
    parser.add_argument("--answer", action="store_true")
    parser.add_argument("--peer", default="chromium", choices=("chromium", "aiortc", "echo"))
    parser.add_argument("--user", default="web")
    parser.add_argument("--domain", default="example.test")
    parser.add_argument("--tone", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--setup", type=float, default=20)
    parser.add_argument("--mdns", action="store_true", help="hide host addresses as a page would")
    parser.add_argument("--video", action="store_true", help="send pictures besides")
    parser.add_argument("--data", action="store_true", help="offer a data channel besides")
    parser.add_argument("--hush", action="store_true", help="send nothing from the report on (Chromium)")
    parser.add_argument("--apart", action="store_true", help="know nothing of BUNDLE (aiortc)")
    parser.add_argument("--hide-ssrcs", action="store_true", help="do not say which SSRCs are sent")
    args = parser.parse_args()
    if bool(args.call) == args.answer:
        parser.error("either --call or --answer")
    sys.exit(asyncio.run(run(args)))


if __name__ == "__main__":
    main()
