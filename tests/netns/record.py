#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Calls that are recorded, and what is in the files.

record.py CALLER RELAY CALLEE FOLDER TANDEM SOCKET: names of namespaces, where recordings are made,
the program and where it listens. Prints TAP lines without numbers.
"""

import base64
import glob
import json
import math
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import wave

from ng_phones import Ng, Phone, socket_in

CALLER, RELAY, CALLEE, FOLDER, TANDEM, SOCKET = sys.argv[1:7]


def check(what, passed, detail=""):
    print(("ok " if passed else "not ok ") + what, flush=True)
    if not passed:
        print(f"# {detail}", flush=True)


def alaw(sample):
    """ITU-T G.711."""
    sign, s = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    s = min(s, 32767) >> 4
    exponent = max(0, s.bit_length() - 5)
    mantissa = (s >> max(exponent - 1 + (exponent > 0), 1)) & 15 if exponent else s >> 1 & 15
    return (sign | exponent << 4 | mantissa) ^ 0x55


class Tone:
    """A sine by packets of 20 ms."""

    def __init__(self, hz):
        self.hz, self.n = hz, 0

    def next(self):
        at = range(self.n, self.n + 160)
        self.n += 160
        return bytes(alaw(int(12000 * math.sin(2 * math.pi * self.hz * i / 8000))) for i in at)


def strength(samples, hz, rate=8000):
    """How much of the energy is at hz (Goertzel): 1 for that tone alone."""
    energy = sum(s * s for s in samples)
    if not energy:
        return 0.0
    k = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = 0.0
    for s in samples:
        a, b = s + k * a - b, a
    return 2 * (a * a + b * b - k * a * b) / (len(samples) * energy)


def recording(call):
    """Both files of the last recording of a call: its channels at 8 kHz, what is said of it, its name."""
    for name in sorted(glob.glob(f"{FOLDER}/*.json"), key=os.path.getmtime, reverse=True):
        with open(name, encoding="utf-8") as f:
            about = json.load(f)
        if about["call_id"] != call:
            continue
        path = name.removesuffix("json") + "wav"
        with wave.open(path) as w:
            data = w.readframes(w.getnframes())
            # as good as the best of what was agreed, which is G.722
            assert (w.getnchannels(), w.getsampwidth(), w.getframerate()) == (2, 2, 16000)
        samples = struct.unpack(f"<{len(data) // 2}h", data)
        return samples[::4], samples[1::4], about, path
    return [], [], {}, ""


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Call:
    def __init__(self, name, port, crypto="", **flags):
        self.ng = Ng(RELAY, name)
        self.name = name
        self.a = Phone(CALLER, "10.77.1.2", 0xA11CE001, port)
        self.b = Phone(CALLEE, "10.77.2.2", 0xB0B00001, port)
        self.tones = Tone(440), Tone(1000)
        ends_here = "transport-protocol" in flags

        def sdp(phone, sealed):
            return phone.head() + phone.media("RTP/SAVP" if sealed else "RTP/AVP", crypto if sealed else "")

        offer = self.ng.ask("offer", from_tag="a", sdp=sdp(self.a, crypto), **flags)
        answer = self.ng.ask("answer", from_tag="a", to_tag="b", sdp=sdp(self.b, crypto and not ends_here))
        self.answers = offer, answer
        self.b.relay(offer["sdp"])
        self.a.relay(answer["sdp"])

    def talk(self, packets, skip=()):
        """Both, in real time; the callee leaves out some."""
        start = time.monotonic()
        for i in range(packets):
            self.a.send(8, self.tones[0].next())
            payload = self.tones[1].next()
            if i in skip:
                self.b.seq, self.b.ts = self.b.seq + 1, self.b.ts + 160
            else:
                self.b.send(8, payload)
            time.sleep(max(0.0, start + 0.02 * (i + 1) - time.monotonic()))

    def heard(self):
        n = 0
        while self.b.hear(0.05):
            n += 1
        return n

    def end(self):
        self.ng.ask("delete", from_tag="a")


def tandem(*args):
    return subprocess.run(
        [TANDEM, *args, "--socket", SOCKET, "--json"], capture_output=True, text=True, timeout=10, check=False
    )


def stats():
    return json.loads(tandem("stats").stdout)["record"]


def by_flag():
    call = Call("by-flag", 7000, **{"record call": "yes"})
    check("a call can be recorded from its offer on", "warning" not in call.answers[0], call.answers[0])
    call.talk(100, skip=range(50, 60))
    listed = json.loads(tandem("stats").stdout)["record"]["running"]
    check("it is under way", listed == 1, listed)
    call.end()
    check("its files are there", until(lambda: recording("by-flag")[3]), os.listdir(FOLDER))
    left, right, about, path = recording("by-flag")
    check("they are nobody else's to read", os.stat(path).st_mode & 0o777 == 0o600)
    check("as long as the call", 1.9 < len(left) / 8000 < 3, len(left) / 8000)
    check("the caller's tone is on the left", strength(left[1000:15000], 440) > 0.9, strength(left[1000:15000], 440))
    check("the callee's on the right", strength(right[1000:7000], 1000) > 0.9, strength(right[1000:7000], 1000))
    first = next((i for i, s in enumerate(right) if s), 0)
    gap = right[first + 50 * 160 + 80 : first + 60 * 160 - 80]
    check("what was lost is silence", gap and not any(gap), max(map(abs, gap), default=None))
    behind = right[first + 61 * 160 : first + 90 * 160]
    check("and what follows is in its place", strength(behind, 1000) > 0.9, strength(behind, 1000))
    told = {s["party"]: (s["packets"], s["lost"], s["codec"]) for s in about["streams"]}
    check("it says how much there was", told == {"a": (100, 0, "PCMA"), "b": (90, 10, "PCMA")}, about)
    check("and why it came to an end", about["end"] == "the call has ended", about)
    check("nobody's call stood still for it", call.heard() == 100)


def by_command():
    call = Call("by-command", 7010)
    call.talk(10)
    check("NG: start recording", call.ng.ask("start recording").get("result") == "ok")
    check("once more is no error", call.ng.ask("start recording").get("result") == "ok")
    call.talk(50)
    check("NG: pause recording", call.ng.ask("pause recording").get("result") == "ok")
    call.talk(50)
    check("the command line has it go on", tandem("session", "record", "by-command", "start").returncode == 0)
    call.talk(50)
    check("NG: stop recording", call.ng.ask("stop recording").get("result") == "ok")
    check("there is nothing to be stopped then", call.ng.ask("stop recording").get("result") == "error")
    check("it is complete before the call is over", until(lambda: recording("by-command")[3]))
    left, _, about, _ = recording("by-command")
    check("it is as long as it was wanted", 2.8 < len(left) / 8000 < 3.6, len(left) / 8000)
    check("with silence where it was paused", not any(left[8800:15200]))
    check("and sound on either side", strength(left[1600:6400], 440) > 0.9 and strength(left[17600:22000], 440) > 0.9)
    check("the pause is told of", len(about["pauses"]) == 1 and about["pauses"][0]["to"], about)
    check("a second one has files of its own", call.ng.ask("start recording").get("result") == "ok")
    call.talk(20)
    call.end()
    check("both are there", until(lambda: len([n for n in os.listdir(FOLDER) if n.endswith(".json")]) == 3))


def secured():
    """The caller's media is sealed up to the relay, the callee's is not."""
    from pylibsrtp import Policy, Session

    key = bytes(range(30))
    line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + base64.b64encode(key).decode() + "\r\n"
    call = Call("secured", 7040, line, **{"record call": "yes", "transport-protocol": "RTP/AVP"})
    sealer = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    plain = call.a.rtp
    call.a.rtp = type("Sealed", (), {"sendto": lambda _, data, to: plain.sendto(sealer.protect(data), to)})()
    call.talk(60)
    check("what is sealed comes through", call.heard() == 60)
    call.end()
    check("it is recorded", until(lambda: recording("secured")[3]))
    left, right, about, _ = recording("secured")
    check("in the clear", strength(left[1000:8000], 440) > 0.9, about)
    check("on both sides", strength(right[1000:8000], 1000) > 0.9, about)


def secret():
    line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "\r\n"
    call = Call("secret", 7020, line)
    answer = call.ng.ask("start recording")
    check("what the relay cannot read is not recorded", "keys" in answer.get("error-reason", ""), answer)
    call.end()


def full_disk():
    call = Call("full", 7030, **{"record call": "on"})
    call.talk(30)
    with open(f"{FOLDER}/ballast", "wb") as f:
        try:
            for _ in range(64):
                f.write(bytes(1 << 16))
                f.flush()
        except OSError:
            pass
    call.talk(150)
    check("a full disk ends it, with an alarm", "full" in (stats()["alarm"] or ""), stats())
    check("it is counted", stats()["failed"] == 1 and stats()["running"] == 0, stats())
    heard = call.heard()
    check("the call goes on", heard == 180, heard)
    answer = call.ng.ask("start recording")
    check("none is begun meanwhile", "disk is full" in answer.get("error-reason", ""), answer)
    os.remove(f"{FOLDER}/ballast")
    check("there is room again", call.ng.ask("start recording").get("result") == "ok")
    call.talk(50)
    call.end()
    check("and it is made", until(lambda: recording("full")[2].get("end") == "the call has ended"), recording("full")[2])


class Listener:
    """Who listens: each connection with the text that it begins with, and its samples."""

    def __init__(self):
        self.server = socket_in(RELAY, socket.SOCK_STREAM, ("127.0.0.1", 5555), reuse=True)
        self.server.listen()
        self.lines = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.server.accept()
            except OSError:
                return
            line = {"socket": s, "data": b"", "ended": False}
            self.lines.append(line)
            threading.Thread(target=self.read, args=(line,), daemon=True).start()

    def read(self, line):
        try:
            while data := line["socket"].recv(65536):
                line["data"] += data
        except OSError:
            pass
        line["ended"] = True

    def of(self, party):
        """What is heard of a party, by its last connection."""
        for line in reversed(self.lines):
            text, nul, data = line["data"].partition(b"\0")
            if nul and json.loads(text)["party"] == party:
                return json.loads(text), struct.unpack(f"<{len(data) // 2}h", data[: len(data) & ~1]), line
        return {}, (), {"ended": None}

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for line in self.lines:
            line["socket"].shutdown(socket.SHUT_RDWR)
            line["socket"].close()


def sound(samples):
    """Without the silence at its ends."""
    there = [i for i, s in enumerate(samples) if s]
    return samples[there[0] : there[-1] + 1] if there else ()


def listened():
    before = len(os.listdir(FOLDER))
    call = Call("listened", 7050)
    listener = Listener()
    check("NG: start forwarding, of the caller", call.ng.ask("start forwarding", from_tag="a").get("result") == "ok")
    call.talk(100)
    about, samples, _ = listener.of("a")
    heard = sound(samples)
    check("the caller is listened to", (about.get("call_id"), about.get("rate")) == ("listened", 8000), about)
    check("from the first word on, a quarter of a second behind", 1.6 < len(heard) / 8000 < 2.05, len(heard) / 8000)
    check("it is the caller's tone", len(heard) > 8000 and strength(heard, 440) > 0.99, strength(heard or (1,), 440))
    check("and nobody else is", len(listener.lines) == 1 and stats()["listening"] == 1, stats())
    check("NG: start forwarding, of all", call.ng.ask("start forwarding").get("result") == "ok")
    call.talk(75)
    heard = sound(listener.of("b")[1])
    check("the callee, too", len(heard) > 8000 and strength(heard, 1000) > 0.99, len(heard))
    check("each by a connection", len(listener.lines) == 2 and stats()["listening"] == 2, stats())

    listener.close()
    call.talk(50)
    check("without a listener sound is lost, and counted", stats()["unheard"] > 500 and not stats()["listening"], stats())
    listener = Listener()
    check("it is found again", until(lambda: stats()["listening"] == 2), stats())
    call.talk(50)
    heard = sound(listener.of("a")[1])
    check("and hears what is said from then on", len(heard) > 4000 and strength(heard, 440) > 0.99, len(heard))
    check("NG: stop forwarding, of all", call.ng.ask("stop forwarding", all="all").get("result") == "ok")
    check("the caller's ends with that of the call", until(lambda: listener.of("b")[2]["ended"]), stats())
    check(
        "the command line has one listened to",
        tandem("session", "listen", "listened", "b", "--off").returncode == 0
        and tandem("session", "listen", "listened", "b").returncode == 0,
    )
    check("it is the callee", until(lambda: stats()["listening"] == 1 and stats()["forwarded"] == 1), stats())
    call.talk(50)
    call.end()
    check("all ends with the call", until(lambda: not stats()["forwarded"] and not stats()["listening"]), stats())
    heard = sound(listener.of("b")[1])
    check("the last word is heard", 0.9 < len(heard) / 8000 < 1.05 and strength(heard, 1000) > 0.99, len(heard) / 8000)
    check("nobody's call stood still for it", call.heard() == 325)
    check("and nothing is recorded", len(os.listdir(FOLDER)) == before, os.listdir(FOLDER))
    listener.close()


check("nothing is recorded unless it is asked for", not os.listdir(FOLDER))
by_flag()
by_command()
secured()
secret()
listened()
full_disk()
