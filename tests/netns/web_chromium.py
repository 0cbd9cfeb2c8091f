# SPDX-License-Identifier: GPL-2.0-only
"""A WebRTC peer in a headless Chromium, driven over its DevTools pipe. For webphone.py."""
import asyncio
import fcntl
import json
import os
import shutil
import tempfile

# A tone of the Web Audio API is sent, and with VIDEO a canvas that changes, so that no device and no
# permission is needed. What comes is analysed the same way: level in dBFS, and the strongest
# frequency; of video it counts what was decoded. With DATA there is a data channel to be refused, with
# HUSH it sends nothing any more when it is asked for its report.
PAGE = """
const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
const ctx = new AudioContext();
const tone = ctx.createOscillator();
const out = ctx.createMediaStreamDestination();
const ear = ctx.createAnalyser();
tone.frequency.value = TONE;
tone.connect(out);
tone.start();
ear.fftSize = 8192;
pc.addTrack(out.stream.getAudioTracks()[0], out.stream);
if (VIDEO) {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  let frame = 0;
  canvas.width = 320;
  canvas.height = 240;
  setInterval(() => {
    pen.fillStyle = `hsl(${frame * 5 % 360} 80% 50%)`;
    pen.fillRect(0, 0, 320, 240);
    pen.fillStyle = 'black';
    pen.fillRect(frame++ * 3 % 320, 100, 40, 40);
  }, 100);
  pc.addTrack(canvas.captureStream(10).getVideoTracks()[0], out.stream);
}
if (DATA)
  pc.createDataChannel('none');
pc.ontrack = (e) => {
  if (e.track.kind === 'video') {
    const screen = document.createElement('video');
    screen.srcObject = new MediaStream([e.track]);
    screen.muted = true;
    document.body.append(screen);
    screen.play();
    return;
  }
  const sound = new MediaStream([e.track]);
  const element = new Audio();   // Chromium decodes only what some element plays
  element.srcObject = sound;
  element.muted = true;
  element.play();
  ctx.createMediaStreamSource(sound).connect(ear);
};
const gathered = () => new Promise((done) => {
  const look = () => pc.iceGatheringState === 'complete' && done(pc.localDescription.sdp);
  pc.addEventListener('icegatheringstatechange', look);
  look();
});
const offer = async () => {
  await pc.setLocalDescription(await pc.createOffer());
  return gathered();
};
const answered = (sdp) => pc.setRemoteDescription({type: 'answer', sdp});
const answer = async (sdp) => {
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  return gathered();
};
const report = async () => {
  if (HUSH) {   // what was sent until now is all, and has arrived
    await Promise.all(pc.getSenders().map((s) => s.replaceTrack(null)));
    await new Promise((done) => setTimeout(done, 500));
  }
  const stats = [...(await pc.getStats()).values()];
  const one = (type, more = () => true) => stats.find((s) => s.type === type && more(s)) || {};
  const pair = one('candidate-pair', (s) => s.nominated && s.state === 'succeeded');
  const sound = (s) => s.kind === 'audio', picture = (s) => s.kind === 'video';
  const inbound = one('inbound-rtp', sound), bins = new Float32Array(ear.frequencyBinCount);
  let peak = 0, level = -200;
  for (let i = 0; i < 10; i++) {   // the loudest of a second: losses leave gaps
    ear.getFloatFrequencyData(bins);
    const now = Math.max(...bins);
    if (now > level) [level, peak] = [now, bins.indexOf(now)];
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    state: pc.connectionState,
    received: inbound.packetsReceived || 0,
    lost: inbound.packetsLost || 0,
    sent: one('outbound-rtp', sound).packetsSent || 0,
    round_trip: one('remote-inbound-rtp', sound).roundTripTime,
    frames: one('inbound-rtp', picture).framesDecoded || 0,
    frames_sent: one('outbound-rtp', picture).framesSent || 0,
    video_lost: one('inbound-rtp', picture).packetsLost || 0,
    video_rtt: one('remote-inbound-rtp', picture).roundTripTime,
    pli: one('inbound-rtp', picture).pliCount,
    nack: one('inbound-rtp', picture).nackCount,
    plied: one('outbound-rtp', picture).pliCount,   // asked by the other side
    nacked: one('outbound-rtp', picture).nackCount,
    video_sent: one('outbound-rtp', picture).packetsSent,
    video_resent: one('outbound-rtp', picture).retransmittedPacketsSent,
    transceivers: pc.getTransceivers().map((t) => t.currentDirection),
    transports: stats.filter((s) => s.type === 'transport').length,
    codec: (stats.find((s) => s.id === inbound.codecId) || {}).mimeType,
    dtls: one('transport').dtlsState,
    srtp: one('transport').srtpCipher,
    local: (stats.find((s) => s.id === pair.localCandidateId) || {}).address,
    remote: (stats.find((s) => s.id === pair.remoteCandidateId) || {}).address,
    peak_hz: Math.round(peak * ctx.sampleRate / ear.fftSize),
    level_db: Math.round(level),
  };
};
"""


class Peer:
    def __init__(self, args):
        self.args = args
        self.number = 0
        self.replies = {}

    async def start(self):
        self.home = tempfile.mkdtemp(prefix="tandem-chromium-")
        commands, self.to = os.pipe()
        self.answers, replies = os.pipe()
        hide = [] if self.args.mdns else ["--disable-features=WebRtcHideLocalIpsWithMdns"]

        def pipes():  # to descriptors 3 and 4, either of which may be the other pipe's now
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, replies)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = await asyncio.create_subprocess_exec(
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--remote-debugging-pipe", "--autoplay-policy=no-user-gesture-required",
            "--disable-background-networking", "--disable-renderer-backgrounding", "--disable-component-update", f"--user-data-dir={self.home}",
            *hide, *getattr(self.args, "options", []), "about:blank", pass_fds=(3, 4), preexec_fn=pipes, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        os.close(commands)
        os.close(replies)
        reader = asyncio.StreamReader(limit=1 << 24)
        self.pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self.answers, "rb", 0))
        self.reading = asyncio.create_task(self.read(reader))
        targets = (await self.ask("Target.getTargets"))["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        session = await self.ask("Target.attachToTarget", {"targetId": page, "flatten": True})
        self.session = session["sessionId"]
        if getattr(self.args, "page", None):
            await self.ask("Page.navigate", {"url": self.args.page}, self.session)
            return
        page = PAGE
        for name, value in (("TONE", self.args.tone), ("VIDEO", self.args.video),
                            ("DATA", self.args.data), ("HUSH", self.args.hush)):
            page = page.replace(name, json.dumps(value))
        await self.run(page)

    async def read(self, reader):
        while True:
            message = json.loads((await reader.readuntil(b"\0"))[:-1])
            waiting = self.replies.pop(message.get("id"), None)
            if waiting:
                waiting.set_result(message)

    async def ask(self, method, params=None, session=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        self.replies[self.number] = asyncio.get_running_loop().create_future()
        os.write(self.to, json.dumps(message).encode() + b"\0")
        reply = await asyncio.wait_for(self.replies[message["id"]], 20)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    async def run(self, script):
        result = await self.ask("Runtime.evaluate", {"expression": script, "awaitPromise": True,
                                                     "returnByValue": True}, self.session)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"].get("description", "exception"))
        return result["result"].get("value")

    async def offer(self):
        return await self.run("offer()")

    async def answered(self, sdp):
        await self.run(f"answered({json.dumps(sdp)})")

    async def answer(self, sdp):
        return await self.run(f"answer({json.dumps(sdp)})")

    async def connected(self, seconds):
        for _ in range(int(seconds * 10)):
            if await self.run("pc.connectionState") == "connected":
                return True
            await asyncio.sleep(0.1)
        return False

    async def report(self):
        return await self.run("report()")

    async def stop(self):
        if not hasattr(self, "process"):
            return
        try:
            await asyncio.wait_for(self.ask("Browser.close"), 3)
        except (RuntimeError, OSError, asyncio.TimeoutError):
            pass
        try:
            await asyncio.wait_for(self.process.wait(), 5)
        except asyncio.TimeoutError:
            self.process.kill()
        self.reading.cancel()
        shutil.rmtree(self.home, ignore_errors=True)
