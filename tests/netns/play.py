#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Announcements into calls by the NG protocol: a client of it, and both phones, in their namespaces.

play.py CALLER RELAY CALLEE FOLDER: names of namespaces, and where the audio is. Prints TAP lines
without numbers ("ok WHAT", "not ok WHAT"), and leaves what was heard in FOLDER/heard.al.
"""

import base64
import ctypes
import math
import os
import re
import socket
import struct
import subprocess
import sys
import time

CALLER, CALLEE = "10.77.1.2", "10.77.2.2"
libc = ctypes.CDLL(None, use_errno=True)


def udp(space, address, port):
    """A socket in that namespace; it stays there when this thread goes on to another."""
    fd = os.open(f"/run/netns/{space}", os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((address, port))
    return sock


def check(what, passed, detail=""):
    print(("ok " if passed else "not ok ") + what, flush=True)
    if not passed:
        print(f"# {detail}", flush=True)


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(k) + bencode(v) for k, v in value.items()) + b"e"


def bdecode(data, at=0):
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind in b"ld":
        items, at = [], at + 1
        while data[at : at + 1] != b"e":
            item, at = bdecode(data, at)
            items.append(item)
        at += 1
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2]))), at
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end].decode("utf-8", "replace"), end


class Relay:
    def __init__(self, space):
        self.sock = udp(space, "127.0.0.1", 0)
        self.sock.settimeout(10)
        self.cookie = 0

    def ask(self, command, call, **keys):
        self.cookie += 1
        request = {"command": command, "call-id": call}
        request.update({k.replace("_", "-"): v for k, v in keys.items()})
        self.sock.sendto(b"%d " % self.cookie + bencode(request), ("127.0.0.1", 2223))
        return bdecode(self.sock.recv(65536).split(b" ", 1)[1])[0]


class Phone:
    def __init__(self, space, address, port):
        self.rtp, self.rtcp = udp(space, address, port), udp(space, address, port + 1)
        self.address, self.port, self.seq = address, port, 100
        self.relay, self.tag = None, 1

    def describe(self, codecs, crypto=None):
        pts = " ".join(c.split()[0] for c in codecs)
        lines = ["v=0", f"o=- 1 1 IN IP4 {self.address}", "s=-", f"c=IN IP4 {self.address}", "t=0 0"]
        lines += [f"m=audio {self.port} RTP/{'S' if crypto else ''}AVP {pts}"]
        lines += [f"a=rtpmap:{c}" for c in codecs]
        lines += [f"a=crypto:{self.tag} AES_CM_128_HMAC_SHA1_80 inline:{crypto}"] if crypto else []
        return "\r\n".join(lines) + "\r\n"

    def shown(self, sdp):
        """What the relay has written: where to send to, and its key."""
        self.relay = (re.search(r"c=IN IP4 (\S+)", sdp)[1], int(re.search(r"m=audio (\d+)", sdp)[1]))
        key = re.search(r"a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80 inline:([^|\s]+)", sdp)
        self.tag = key[1] if key else 1
        return base64.b64decode(key[2]) if key else None

    def talk(self, pt=8):
        packet = struct.pack("!BBHII", 0x80, pt, self.seq, self.seq * 160, 0x1234) + b"\xd5" * 160
        self.rtp.sendto(packet, self.relay)
        self.seq += 1

    def hear(self, enough, limit=10.0, own=lambda: None):
        """Packets and when they came, until enough(them) or the time is over."""
        packets, end, beat = [], time.monotonic() + limit, 0.0
        while time.monotonic() < end and not enough(packets):
            if time.monotonic() >= beat:
                own()
                beat = time.monotonic() + 0.02
            self.rtp.settimeout(0.01)
            try:
                data, source = self.rtp.recvfrom(2048)
                packets.append((data, source))
            except TimeoutError:
                pass
        return packets

    def hush(self):
        """Forget what has come so far."""
        self.hear(lambda p: False, 0.1)
        self.rtcp.settimeout(0)
        try:
            while self.rtcp.recv(2048):
                pass
        except BlockingIOError:
            pass


def head(data):
    first, second, seq, ts, ssrc = struct.unpack("!BBHII", data[:12])
    return {"pt": second & 127, "marker": second >> 7, "seq": seq, "ts": ts, "ssrc": ssrc}


def of_voice(packets, other=0x1234):
    return [data for data, _ in packets if head(data)["ssrc"] != other]


def in_line(packets, step=160):
    """One SSRC, no gap in sequence numbers, and in timestamps none but where the host stood still."""
    heads = [head(p) for p in packets]
    return bool(heads) and all(
        b["ssrc"] == a["ssrc"]
        and (b["seq"] - a["seq"]) % 65536 == 1
        and 0 < (b["ts"] - a["ts"]) % 2**32 < 50 * step
        and (b["ts"] - a["ts"]) % 2**32 % step == 0
        for a, b in zip(heads, heads[1:])
    )


A_CODECS = ["8 PCMA/8000", "101 telephone-event/8000"]


def call(relay, a, b, name, b_codecs, crypto=None):
    """Returns the key of the relay toward B."""
    keys = {"transport-protocol": "RTP/SAVP"} if crypto else {}
    codecs = A_CODECS + [c for c in b_codecs if c not in A_CODECS]
    offer = relay.ask("offer", name, **{"from-tag": "a", "sdp": a.describe(codecs), **keys})
    key = b.shown(offer["sdp"])
    back = {"transport-protocol": "RTP/AVP"} if crypto else {}
    answer = relay.ask(
        "answer", name, **{"from-tag": "a", "to-tag": "b", "sdp": b.describe(b_codecs, crypto), **back}
    )
    a.shown(answer["sdp"])
    return key


def plain(relay, a, b, folder):
    call(relay, a, b, "plain", A_CODECS)
    b.talk()
    heard = a.hear(lambda p: len(p) >= 1, own=b.talk)
    check("media passes before", len(heard) >= 1)
    reply = relay.ask("play media", "plain", **{"from-tag": "a", "file": "speech.wav"})
    check("an announcement is played", reply.get("result") == "ok" and reply.get("duration") == 1000, reply)
    packets = a.hear(lambda p: len(of_voice(p)) >= 50, own=b.talk)
    voice = of_voice(packets)
    check("all of it arrives, in line", len(voice) == 50 and in_line(voice), [head(v) for v in voice])
    check("its first packet has the marker, and no other", [head(v)["marker"] for v in voice] == [1] + [0] * 49)
    check("by the codec agreed on", all(head(v)["pt"] == 8 and len(v) == 172 for v in voice))
    check("from the port that the party knows", {s for _, s in packets} == {a.relay}, a.relay)
    with open(f"{folder}/heard.al", "wb") as out:
        out.write(b"".join(v[12:] for v in voice))
    other = [data for data, _ in packets if head(data)["ssrc"] == 0x1234]
    seqs = [head(o)["seq"] for o in other]
    check("what the other party says goes on", len(seqs) > 10 and seqs == list(range(seqs[0], seqs[0] + len(seqs))))
    a.rtcp.settimeout(5)
    report = a.rtcp.recv(2048)
    check(
        "a sender report comes with it",
        report[1] == 200 and struct.unpack("!I", report[4:8])[0] == head(voice[0])["ssrc"] and report[29] == 202,
        report.hex(),
    )
    return head(voice[-1])


def again(relay, a, b, last):
    keys = {"from-tag": "a", "file": "speech.wav", "repeat-times": 50, "start-pos": 40}
    reply = relay.ask("play media", "plain", **keys)
    voice = of_voice(a.hear(lambda p: len(of_voice(p)) >= 25, own=b.talk))
    first = head(voice[0])
    check("it is played again, from a frame on, and repeated", reply["result"] == "ok" and in_line(voice), reply)
    check("by the same voice, in sequence", (first["ssrc"], first["seq"]) == (last["ssrc"], (last["seq"] + 1) % 65536))
    reply = relay.ask("stop media", "plain", **{"from-tag": "a"})
    check("it is stopped, at a frame that is told", reply["result"] == "ok" and 0 <= reply["last-frame-pos"] < 50, reply)
    reply = relay.ask("start forwarding", "plain", **{"from-tag": "a"})
    check("nobody is listened to where nobody listens", "record.forward" in reply.get("error-reason", ""), reply)
    a.hush()
    check("and silent", not of_voice(a.hear(lambda p: False, 0.3, own=b.talk)))
    with open(sys.argv[4] + "/play/speech.wav", "rb") as f:
        blob = f.read()
    keys = {"address": CALLEE, "blob": blob, "duration": 100}
    reply = relay.ask("play media", "plain", **keys)
    voice = of_voice(b.hear(lambda p: len(p) >= 5))
    rest = b.hear(lambda p: False, 0.3)
    check("octets are played to who has an address, for so long", len(voice) == 5 and not rest, (reply, len(voice)))


def digits(relay, a, b):
    reply = relay.ask("play DTMF", "plain", **{"from-tag": "b", "code": "5", "duration": 120, "volume": -10})
    relay.ask("play DTMF", "plain", **{"from-tag": "b", "digit": 11})
    wanted = 6 + 2 + 13 + 2
    events = of_voice(a.hear(lambda p: len(of_voice(p)) >= wanted, own=b.talk))
    check("digits of the other party are sent", reply["result"] == "ok" and len(events) == wanted, (reply, len(events)))
    first = events[:8]
    ends = [e[13] & 0x80 for e in first]
    check("as events, with the agreed payload type", all(head(e)["pt"] == 101 and len(e) == 16 for e in events))
    check("the first is 5, at -10 dBm0, for 120 ms", {(e[12], e[13] & 63) for e in first} == {(5, 10)}
          and struct.unpack("!H", first[-1][14:])[0] == 960)
    check("with one timestamp, and its end three times", len({head(e)["ts"] for e in first}) == 1
          and ends == [0] * 5 + [128] * 3 and head(first[0])["marker"] == 1)
    check("the next one follows after a pause", {e[12] for e in events[8:]} == {11}
          and (120 + 100) * 8 <= (head(events[8])["ts"] - head(first[0])["ts"]) % 2**32 < 16000)


def refusals(relay):
    def error(**keys):
        reply = relay.ask("play media", keys.pop("call", "plain"), **{k.replace("_", "-"): v for k, v in keys.items()})
        return reply.get("error-reason", "") if reply.get("result") == "error" else ""

    check("a file that is elsewhere is not played", "below" in error(from_tag="a", file="../secret.wav")
          and "below" in error(from_tag="a", file="link.wav"))
    check("nor one that is not there", "No such media file" in error(from_tag="a", file="none.wav"))
    check("nor one that is no audio", "no audio" in error(from_tag="a", file="broken.wav"))
    check("nor in a call that is not there", "Unknown call-id" in error(call="other", from_tag="a", file="speech.wav"))
    check("nor to nobody", error(file="speech.wav") and error(from_tag="x", file="speech.wav"))
    check("nor nothing", "No media file" in error(from_tag="a"))


def ended(relay, a, b):
    relay.ask("play media", "plain", **{"flags": ["all"], "file": "speech.wav", "repeat-times": 100})
    a.hear(lambda p: len(p) >= 3)
    relay.ask("delete", "plain")
    a.hush()
    b.hush()
    check("it ends with the call", not a.hear(lambda p: False, 0.3))


def tandem(*words):
    """The command line, on the host of the relay."""
    run = subprocess.run(
        [os.environ["TANDEM"], *words, "--socket", os.environ["SOCK"]], capture_output=True, text=True, timeout=10
    )
    return run.returncode, run.stdout + run.stderr


def by_hand(relay, a, b):
    call(relay, a, b, "hand", A_CODECS)
    told = tandem("session", "play", "hand", "speech.wav", "--party", "b")
    voice = of_voice(b.hear(lambda p: len(p) >= 50))
    check("the command line plays, too", told == (0, "it plays, for 1.0 s\n") and len(voice) == 50, told)
    check("to one party alone", not a.hear(lambda p: False, 0.2))
    told = tandem("session", "dtmf", "hand", "4#", "--party", "b")
    events = of_voice(a.hear(lambda p: len(p) >= 30))
    check("and sends digits", told[0] == 0 and {e[12] for e in events} == {4, 11}, told)
    told = tandem("session", "play", "hand", "none.wav")
    check("what cannot be played is said", told[0] != 0 and "No such media file" in told[1], told)
    tandem("session", "play", "hand", "tone.wav")
    b.hear(lambda p: len(p) >= 1)
    told = tandem("session", "play", "hand", "--off")
    check("and it stops", told[0] == 0 and "stopped at frame" in told[1], told)
    relay.ask("delete", "hand")
    a.hush()
    b.hush()


def changed(relay, a, b, b2):
    """A new description while something is heard: another port, another codec, and then a hold."""
    call(relay, a, b, "changed", A_CODECS)
    relay.ask("play media", "changed", **{"from-tag": "b", "file": "speech.wav", "repeat-times": 500})
    before = of_voice(b.hear(lambda p: len(p) >= 10))
    call(relay, a, b2, "changed", ["0 PCMU/8000"])
    after = of_voice(b2.hear(lambda p: len(p) >= 30))
    heads = [head(p) for p in after]
    check("after a new description it goes on there, by its codec", len(after) == 30 and in_line(after)
          and {h["pt"] for h in heads} == {0} and heads[0]["ssrc"] == head(before[0])["ssrc"]
          and 0 < (heads[0]["seq"] - head(before[-1])["seq"]) % 65536 < 1000, heads[:2])
    b.hush()
    check("and no more where it was", not b.hear(lambda p: False, 0.2))
    b2.address = "0.0.0.0"
    call(relay, a, b2, "changed", ["0 PCMU/8000"])
    b2.hush()
    check("who is on hold hears nothing", not b2.hear(lambda p: False, 0.2))
    b2.address = CALLEE
    call(relay, a, b2, "changed", ["3 GSM/8000"])
    b2.hush()
    check("nor who has no codec that the relay has", not b2.hear(lambda p: False, 0.2))
    reply = relay.ask("play media", "changed", **{"from-tag": "b", "file": "speech.wav"})
    check("and is not begun with", "No codec" in reply.get("error-reason", ""), reply)
    reply = relay.ask("play DTMF", "changed", **{"from-tag": "a", "code": 1})
    check("digits need telephone-event", "telephone-event" in reply.get("error-reason", ""), reply)
    relay.ask("delete", "changed")


def secured(relay, a, b):
    from pylibsrtp import Policy, Session

    own = base64.b64encode(bytes(range(30))).decode()
    key = call(relay, a, b, "secured", A_CODECS, own)
    relay.ask("play media", "secured", **{"from-tag": "b", "file": "speech.wav"})
    packets = of_voice(b.hear(lambda p: len(p) >= 50))
    session = Session(policy=Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    clear = [session.unprotect(p) for p in packets]
    check("under SRTP it is sealed with the relay's key", len(clear) == 50 and in_line(clear))
    relay.ask("play media", "secured", **{"from-tag": "b", "file": "speech.wav", "duration": 200})
    clear += [session.unprotect(p) for p in of_voice(b.hear(lambda p: len(p) >= 10))]
    check("and so is what is played later, with indices that go on", len(clear) == 60
          and [head(c)["seq"] for c in clear] == [(head(clear[0])["seq"] + i) % 65536 for i in range(60)])
    b.rtcp.settimeout(5)
    check("and its report", session.unprotect_rtcp(b.rtcp.recv(2048))[1] == 200)
    relay.ask("delete", "secured")


def power_at(samples, hz, rate):
    """The share of the samples' power that is at one frequency."""
    n = len(samples)
    re_ = sum(s * math.cos(2 * math.pi * hz * i / rate) for i, s in enumerate(samples))
    im = sum(s * math.sin(2 * math.pi * hz * i / rate) for i, s in enumerate(samples))
    return 2 * (re_ * re_ + im * im) / n / max(1, sum(s * s for s in samples))


def opus(relay, a, b):
    lib = ctypes.CDLL("libopus.so.0")
    lib.opus_decoder_create.restype = ctypes.c_void_p
    decoder = ctypes.c_void_p(lib.opus_decoder_create(48000, 1, None))
    call(relay, a, b, "opus", ["96 opus/48000/2"])
    relay.ask("play media", "opus", **{"from-tag": "b", "file": "tone.wav"})
    packets = of_voice(b.hear(lambda p: len(p) >= 50))
    pcm, frame = [], (ctypes.c_int16 * 5760)()
    for p in packets:
        n = lib.opus_decode(decoder, p[12:], len(p) - 12, frame, 5760, 0)
        pcm += frame[:n] if n > 0 else []
    check("by Opus, too", len(packets) == 50 and in_line(packets, 960) and len(pcm) == 48000)
    check("it decodes to the tone that was in the file", power_at(pcm[4800:14400], 440, 48000) > 0.9)
    relay.ask("delete", "opus")


def main():
    caller, relay_space, callee, folder = sys.argv[1:]
    relay = Relay(relay_space)
    a, b = Phone(caller, CALLER, 7000), Phone(callee, CALLEE, 7000)
    last = plain(relay, a, b, folder)
    again(relay, a, b, last)
    digits(relay, a, b)
    refusals(relay)
    ended(relay, a, b)
    by_hand(relay, a, b)
    changed(relay, a, b, Phone(callee, CALLEE, 7100))
    secured(relay, a, b)
    opus(relay, a, b)


main()
