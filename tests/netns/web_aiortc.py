# SPDX-License-Identifier: GPL-2.0-only
"""A WebRTC peer of python3-aiortc. For webphone.py."""
import asyncio
import fractions
import math

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

RATE = 48000
FRAME = RATE // 50


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, hz):
        super().__init__()
        self.hz, self.count, self.begin = hz, 0, None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.begin = self.begin or loop.time()
        await asyncio.sleep(self.begin + self.count / RATE - loop.time())
        at = numpy.arange(self.count, self.count + FRAME) * (2 * math.pi * self.hz / RATE)
        frame = av.AudioFrame.from_ndarray((8000 * numpy.sin(at)).astype(numpy.int16)[None, :],
                                           format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.count, fractions.Fraction(1, RATE)
        self.count += FRAME
        return frame


class Picture(VideoStreamTrack):
    """A bar that wanders, ten times a second."""

    count = 0

    async def recv(self):
        await asyncio.sleep(0.1)
        pixels = numpy.full((240, 320, 3), 60, numpy.uint8)
        pixels[:, self.count * 4 % 320:][:, :20] = 200
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = self.count * 9000, fractions.Fraction(1, 90000)
        self.count += 1
        return frame


class Peer:
    def __init__(self, args):
        self.args = args

    async def start(self):
        self.pc = RTCPeerConnection()
        self.pc.addTrack(Tone(self.args.tone))
        self.picture = Picture() if self.args.video else None
        if self.picture:
            self.pc.addTrack(self.picture)
        if self.args.data:
            self.pc.createDataChannel("none")
        self.heard, self.rate, self.ears, self.frames = [], RATE, [], 0
        self.pc.on("track", lambda track: self.ears.append(asyncio.create_task(self.listen(track))))

    async def listen(self, track):
        while True:
            frame = await track.recv()
            if track.kind == "video":
                self.frames += 1
                continue
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
            self.rate = frame.sample_rate
            self.heard = (self.heard + [samples])[-25:]

    async def ask(self):
        """The first picture may have come before there was a way here: browsers ask for another (PLI)."""
        while not self.frames:
            await asyncio.sleep(0.5)
            for receiver in self.pc.getReceivers():
                for source in receiver.getSynchronizationSources():
                    if receiver.track.kind == "video":
                        await receiver._send_rtcp_pli(source.source)

    def seen(self, sdp):
        """One that knows nothing of bundles neither sees nor says them."""
        lines = sdp.split("\r\n")
        return "\r\n".join(x for x in lines if not (self.args.apart and x.startswith("a=group:")))

    async def offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.seen(self.pc.localDescription.sdp)

    async def answered(self, sdp):
        sdp = self.seen(sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(self.seen(sdp), "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return self.seen(self.pc.localDescription.sdp)

    async def connected(self, seconds):
        for _ in range(int(seconds * 10)):
            if self.pc.connectionState == "connected":
                self.ears.append(asyncio.create_task(self.ask()))
                return True
            await asyncio.sleep(0.1)
        return False

    async def report(self):
        stats = [s for s in (await self.pc.getStats()).values() if getattr(s, "kind", "") == "audio"]
        inbound = next((s for s in stats if s.type == "inbound-rtp"), None)
        outbound = next((s for s in stats if s.type == "outbound-rtp"), None)
        report = {"state": self.pc.connectionState, "received": inbound.packetsReceived if inbound else 0,
                  "lost": inbound.packetsLost if inbound else 0,
                  "sent": outbound.packetsSent if outbound else 0, "peak_hz": 0, "level_db": -100,
                  "frames": self.frames, "frames_sent": self.picture.count if self.picture else 0,
                  "transceivers": [t.currentDirection for t in self.pc.getTransceivers()]}
        if self.heard:
            sound = numpy.concatenate(self.heard).astype(float)
            spectrum = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound))))
            report["peak_hz"] = round(float(numpy.argmax(spectrum)) * self.rate / len(sound))
            report["level_db"] = round(20 * math.log10(max(float(numpy.std(sound)), 1) / 32768))
        return report

    async def stop(self):
        for ear in getattr(self, "ears", []):
            ear.cancel()
        if hasattr(self, "pc"):
            await self.pc.close()
