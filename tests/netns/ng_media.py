#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both phones of a call, and the client of the NG protocol that blocks and silences its media.

Sockets live in the namespaces that the options name, so one program sees every packet leave and
arrive. Prints "ok WHAT" or "bad WHAT" for each step.
"""

import argparse
import json
import socket
import subprocess
import sys
import threading
import time

from ng_phones import WAIT, Ng, Phone

PCMU, PCMA, G722, AMR, EVENT = 0, 8, 9, 97, 101
QUIET = 0.3  # for what must not come, when what was sent behind it is there


class Call:
    def __init__(self, args):
        self.args = args
        self.a = Phone(args.caller, "10.77.1.2", 0xA11CE001)
        self.b = Phone(args.callee, "10.77.2.2", 0xB0B00001)
        self.ng = Ng(args.relay)
        self.failed = 0

    def step(self, what, good):
        self.failed += not good
        print("ok" if good else "bad", what, flush=True)

    def set_up(self):
        offer = self.ng.ask("offer", from_tag="a", sdp=self.a.sdp(), label="alice",
                            direction=["caller", "callee"])
        self.b.relay(offer["sdp"])
        self.agree()

    def agree(self):
        answer = self.ng.ask("answer", from_tag="a", to_tag="b", sdp=self.b.sdp(), label="bob")
        self.a.relay(answer["sdp"])

    def passes(self, sender, hearer, pt, payload, want):
        """A packet arrives, with this for its payload."""
        seq = sender.send(pt, payload)
        return hearer.hear(WAIT) == (pt, seq, want)

    def held_back(self, sender, hearer, pt, payload):
        """A packet does not arrive, though RTCP that is sent behind it does."""
        sender.send(pt, payload)
        sender.report()
        hearer.rtcp.settimeout(WAIT)
        try:
            hearer.rtcp.recv(2048)
        except socket.timeout:
            return False
        return hearer.hear(QUIET) is None

    def talk(self):
        voice = bytes(range(160))
        self.step("media passes both ways", self.passes(self.a, self.b, PCMU, voice, voice)
                  and self.passes(self.b, self.a, PCMA, voice, voice))

    def tandem(self, *words):
        out = subprocess.run([self.args.tandem, *words, "--json", "--socket", self.args.socket],
                             capture_output=True, check=True).stdout
        return json.loads(out)

    def show(self):
        return self.tandem("session", "show", self.tandem("session", "list")["sessions"][0]["id"])

    def command(self, verb, *words):
        """Which parties are blocked after it."""
        media = self.tandem("session", verb, self.show()["id"], *words)["media"][0]
        return [media[party]["blocked"] for party in "ab"]

    def counted(self, reason):
        stats = self.tandem("stats")
        return sum(stats[path].get(reason, 0) for path in ("fast", "slow"))

    def is_ok(self, reply, warns=False):
        return reply.get("result") == "ok" and ("warning" in reply) == warns


def blocked(c):
    voice, digit = bytes(range(160)), b"\x05\x0a\x00\xa0"
    c.step("media of the caller is blocked", c.is_ok(c.ng.ask("block media", from_tag="a"))
           and c.held_back(c.a, c.b, PCMU, voice) and c.held_back(c.a, c.b, 96, voice))
    c.step("its events pass, and what the callee says",
           c.passes(c.a, c.b, EVENT, digit, digit) and c.passes(c.b, c.a, PCMU, voice, voice))
    c.step("and so do they after a new description", c.ng.ask(
        "offer", from_tag="b", to_tag="a", sdp=c.b.sdp()).get("result") == "ok"
        and c.ng.ask("answer", from_tag="b", to_tag="a", sdp=c.a.sdp()).get("result") == "ok"
        and c.held_back(c.a, c.b, PCMU, voice) and c.passes(c.b, c.a, PCMU, voice, voice))
    shown = c.show()
    c.step("the verdict says who is blocked", shown["verdict"] ==
           "media of the caller is blocked by command; else two-way"
           and shown["media"][0]["a"]["blocked"] and not shown["media"][0]["b"]["blocked"])
    c.step("events are blocked, too", c.is_ok(c.ng.ask("block DTMF", label="alice"))
           and c.held_back(c.a, c.b, EVENT, digit))
    c.step("media passes again, and events do not",
           c.is_ok(c.ng.ask("unblock media", address="10.77.1.2"))
           and c.passes(c.a, c.b, PCMU, voice, voice) and c.held_back(c.a, c.b, EVENT, digit))
    c.step("each packet is counted once", c.counted("blocked") == 5)
    c.step("nothing is blocked any more", c.is_ok(c.ng.ask("unblock DTMF", flags=["all"]))
           and c.passes(c.a, c.b, EVENT, digit, digit))


def silenced(c):
    voice, amr = bytes(range(160)), bytes(32)
    c.step("silence, with a warning of what has none",
           c.is_ok(c.ng.ask("silence media"), warns=True))
    c.step("of G.711 u-law", c.passes(c.a, c.b, PCMU, voice, b"\xff" * 160))
    c.step("of G.711 A-law, as long as that", c.passes(c.b, c.a, PCMA, voice[:81], b"\xd5" * 81))
    c.step("of G.722", c.passes(c.a, c.b, G722, voice, b"\xfa\xfc" * 80))
    c.step("and nothing of AMR", c.held_back(c.a, c.b, AMR, amr))
    c.step("events pass", c.passes(c.b, c.a, EVENT, b"\x01\x8a\x03\x20", b"\x01\x8a\x03\x20"))
    c.step("the verdict says so", c.show()["verdict"] ==
           "media of both is silenced by command; else two-way")
    c.step("each packet is counted once",
           c.counted("silenced") == 3 and c.counted("blocked") == 6)
    c.step("blocked by the command line, then one party's alone",
           c.command("block") == [True, True] and c.command("block", "a", "--off") == [False, True]
           and c.passes(c.a, c.b, PCMU, voice, b"\xff" * 160) and c.held_back(c.b, c.a, PCMU, voice)
           and c.command("block", "--off") == [False, False])
    c.step("voices are back", c.is_ok(c.ng.ask("unsilence media")))
    c.talk()


def under_traffic(c):
    """The callee talks all the while; the rule of the caller's flow changes."""
    packets, heard, voice = 600, [], bytes(160)

    def listen():
        while len(heard) < packets:
            packet = c.a.hear(WAIT)
            if not packet:
                return
            heard.append(packet)

    def speak():
        for _ in range(packets):
            c.b.send(PCMU, voice)
            c.a.send(PCMU, voice)
            time.sleep(0.002)

    threads = [threading.Thread(target=f) for f in (listen, speak)]
    for t in threads:
        t.start()
    changes = 0
    while threads[1].is_alive():
        c.ng.ask("block media" if changes % 2 == 0 else "unblock media", from_tag="a")
        changes += 1
    c.ng.ask("unblock media", from_tag="a")
    for t in threads:
        t.join()
    c.step("the rule has changed often under traffic", changes >= 10)
    c.step("and nothing of the other direction is lost",
           len(heard) == packets and all(p[2] == voice for p in heard))
    while c.b.hear(QUIET):
        pass


def restored(c):
    """After a restart of the relay what was wanted before is still done."""
    voice = bytes(range(160))
    c.step("what was silenced before a restart still is",
           c.passes(c.b, c.a, PCMU, voice, b"\xff" * 160)
           and c.passes(c.a, c.b, PCMU, voice, voice))
    c.step("until it is told otherwise", c.is_ok(c.ng.ask("unsilence media", from_tag="b")))
    c.talk()
    c.step("the call is deleted", c.ng.ask("delete", from_tag="a").get("result") == "ok")


def main():
    parser = argparse.ArgumentParser()
    for name in ("caller", "callee", "relay", "tandem", "socket"):
        parser.add_argument(f"--{name}", required=True)
    c = Call(parser.parse_args())
    c.set_up()
    c.talk()
    blocked(c)
    silenced(c)
    under_traffic(c)
    c.step("the callee is silenced", c.is_ok(c.ng.ask("silence media", from_tag="b"), warns=True))
    print("restart", flush=True)
    sys.stdin.readline()
    restored(c)
    return c.failed != 0


if __name__ == "__main__":
    sys.exit(main())
