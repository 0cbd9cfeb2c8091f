#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A plain call, and a WebRTC peer (aiortc) that has subscribed to the caller. Runs where the peer is.

Prints "ok WHAT" or "bad WHAT" for each step.
"""

import argparse
import asyncio
import math
import sys

import numpy
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from ng_phones import Ng, Phone
from rtpfan import ulaw_value

HZ, RATE, FRAME = 440, 8000, 160
PCMU = 0
VALUES = numpy.array([ulaw_value(code) for code in range(256)])


def tone(count):
    """G.711: of 256 values the nearest."""
    at = 8000 * numpy.sin(2 * math.pi * HZ * (count + numpy.arange(FRAME)) / RATE)
    return bytes(numpy.abs(VALUES - at[:, None]).argmin(axis=1).astype(numpy.uint8))


class Ear:
    def __init__(self):
        self.pc = RTCPeerConnection()
        self.heard, self.rate = [], RATE
        self.pc.on("track", lambda track: asyncio.ensure_future(self.listen(track)))

    async def listen(self, track):
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return  # it is over
            self.rate = frame.sample_rate
            self.heard.append(frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0])

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return self.pc.localDescription.sdp

    def peak(self):
        sound = numpy.concatenate(self.heard[-50:]).astype(float)
        spectrum = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound))))
        return int(numpy.argmax(spectrum) * self.rate / len(sound))


async def talk(phone, seconds):
    loop, begin = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    for i in range(int(seconds * 50)):
        phone.send(PCMU, tone(i * FRAME))
        await asyncio.sleep(begin + i * 0.02 - loop.time())


async def run(args):
    a, b = Phone(args.caller, "10.77.1.2", 0xA11CE001), Phone(args.callee, "10.77.2.2", 0xB0B00001)
    ng, failed = Ng(args.relay, "web"), 0

    def step(what, good):
        nonlocal failed
        failed += not good
        print("ok" if good else "bad", what, flush=True)

    b.relay(ng.ask("offer", from_tag="a", sdp=a.sdp(), direction=["caller", "callee"])["sdp"])
    a.relay(ng.ask("answer", from_tag="a", to_tag="b", sdp=b.sdp())["sdp"])
    reply = ng.ask("subscribe request", from_tag="a", to_tag="ear", direction=["caller", "callee"],
                   transport_protocol="UDP/TLS/RTP/SAVPF")
    step("a browser is offered the caller's media by DTLS", "UDP/TLS/RTP/SAVPF" in reply.get("sdp", ""))
    ear = Ear()
    reply = ng.ask("subscribe answer", to_tag="ear", sdp=await ear.answer(reply["sdp"]))
    step("its answer is taken", reply.get("result") == "ok")
    for _ in range(100):
        if ear.pc.connectionState == "connected":
            break
        await asyncio.sleep(0.1)
    step("it is connected", ear.pc.connectionState == "connected")
    await talk(a, 4)
    step(f"it hears the caller: {len(ear.heard)} frames, {ear.peak() if ear.heard else 0} Hz",
         len(ear.heard) > 150 and abs(ear.peak() - HZ) < 20)
    await ear.pc.close()
    step("the call ends", ng.ask("delete", from_tag="a")["result"] == "ok")
    return failed != 0


def main():
    parser = argparse.ArgumentParser()
    for name in ("caller", "callee", "relay"):
        parser.add_argument(f"--{name}", required=True)
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
