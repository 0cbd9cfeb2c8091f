#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A party of calls who wants media sent to where it must not go.

  relay_attack.py offers  --local A:P --proxy A:P --call URI   calls with media to each of a list of
      addresses, then redirects one good call to each of them
  relay_attack.py answers --local A:P --proxy A:P              registers as mallory, and answers each
      call with the next address of the list
  relay_attack.py calls   --local A:P --proxy A:P --call URI   calls as often, and means no harm

Prints a line of JSON: by name of the address the status of the answer, and its warning.
"""
import argparse
import asyncio
import json
import sys

from webphone import Phone, endpoint, uri_of

# Name: the address in the description, and the port.
TARGETS = {
    "loopback": ("127.0.0.1", 5004), "all of loopback": ("127.66.0.1", 5004),
    "this network": ("0.66.0.1", 5004), "metadata": ("169.254.169.254", 80),
    "group": ("224.0.0.251", 5353), "group with TTL": ("239.1.1.1/127", 5004),
    "broadcast": ("255.255.255.255", 5004), "broadcast of a subnet": ("10.77.2.255", 5004),
    "host": ("10.77.1.1", 5004), "host, other side": ("10.77.2.1", 5004),
    "media port": ("10.77.2.1", 16400), "SIP port": ("10.77.2.1", 5060),
    "host, IPv6": ("fd77:2::1", 5004),
    "loopback, IPv6": ("::1", 5004), "link-local, IPv6": ("fe80::1", 5004),
    "group, IPv6": ("ff02::1", 5004), "mapped": ("::ffff:127.0.0.1", 5004),
    "NAT64": ("64:ff9b::127.0.0.1", 5004), "6to4": ("2002:7f00:1::1", 5004),
}


def net(host):
    return f"IN IP{6 if ':' in host else 4} {host}"


def describe(args, host=None, port=None, extra=(), session=None):
    mine = endpoint(args.media)
    lines = ["v=0", "o=- 1 1 IN IP4 10.77.1.2", "s=-", f"c={net(session or host or mine[0])}",
             "t=0 0", f"m=audio {port or mine[1]} RTP/AVP 8", "a=rtpmap:8 PCMA/8000", *extra]
    return "\r\n".join(lines + [""])


def tricks(args):
    """What names an address elsewhere than in the c= of the session."""
    yield "in the media", describe(args, session="10.77.1.2", extra=["c=IN IP4 127.0.0.1"])
    yield "RTCP", describe(args, extra=["a=rtcp:5005 IN IP4 127.0.0.1"])
    yield "RTCP to the host", describe(args, extra=["a=rtcp:5353 IN IP4 10.77.2.1"])
    for name, (host, port) in TARGETS.items():
        yield name, describe(args, host, port)


def verdict(response):
    return [response.status, response.get("warning")]


class Caller(Phone):
    async def ask(self, uri, to, body):
        """The final response to an INVITE, with its ACK sent."""
        request = self.request("INVITE", uri, to, body=body)
        response = await self.answer_of(request, 5)
        if response.status < 300:
            self.target, self.remote = uri_of(response.get("contact")), response.get("to")
            self.route = list(reversed(response.all("record-route")))
        ack = self.request("ACK", self.target if response.status < 300 else uri, response.get("to"),
                           cseq=self.cseq)
        if response.status >= 300:
            ack.headers[0] = request.headers[0]
        self.send(ack)
        return response

    async def offers(self, args):
        told = {"offers": {}, "redirects": {}}
        for name, body in tricks(args):
            response = await self.ask(args.call, f"<{args.call}>", body)
            told["offers"][name] = verdict(response)
            if response.status < 300:
                await self.hang_up()
                self.route = []
            self.call_id = f"{len(told['offers'])}.{self.call_id}"
        # Candidates are no addresses: they pass nowhere, and the call is like any other.
        hosts = [f"a=candidate:{i} 1 UDP {2130706431 - i} {host.split('/')[0]} {port} typ host"
                 for i, (host, port) in enumerate(TARGETS.values())]
        good = describe(args, extra=["a=ice-ufrag:abcd", "a=ice-pwd:" + 24 * "x", *hosts])
        told["candidates"] = verdict(await self.ask(args.call, f"<{args.call}>", good))
        for name, body in tricks(args):
            told["redirects"][name] = verdict(await self.ask(self.target, self.remote, body))
        print("redirected", file=sys.stderr, flush=True)
        await asyncio.sleep(1)
        await self.hang_up()
        return told

    async def calls(self, args):
        told = {}
        for name, _ in tricks(args):
            told[name] = verdict(await self.ask(args.call, f"<{args.call}>", describe(args)))
            self.route, self.call_id = [], f"{len(told)}.{self.call_id}"
        return told

    async def answers(self, args):
        await self.register()
        print("ready", file=sys.stderr, flush=True)
        acks = 0
        for _, body in tricks(args):
            message = await asyncio.wait_for(self.inbox.get(), 20)
            while message.status or message.method == "ACK":
                acks += message.method == "ACK"
                message = await asyncio.wait_for(self.inbox.get(), 20)
            self.ended.clear()
            self.reply(message, 200, "OK", body)
            await asyncio.wait_for(self.ended.wait(), 5)
        return {"acks": acks + self.inbox.qsize()}


async def run(args):
    args.user, args.domain = "mallory", "example.test"
    _, phone = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Caller(args), local_addr=endpoint(args.local))
    print(json.dumps(await getattr(phone, args.how)(args)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("how", choices=("offers", "answers", "calls"))
    parser.add_argument("--local", required=True)
    parser.add_argument("--proxy", required=True)
    parser.add_argument("--media", default="10.77.1.2:7000")
    parser.add_argument("--call")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
