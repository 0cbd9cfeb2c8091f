#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A call, those who have subscribed to its media, and the client of the NG protocol.

Prints "ok WHAT" or "bad WHAT" for each step, and "restart" where the relay is to be restarted.
"""

import argparse
import base64
import socket
import sys
import threading
import time

import pylibsrtp

from ng_phones import WAIT, Ng, Phone

PCMU = 0
QUIET = 0.3  # for what must not come, when what was sent behind it is there
KEY = bytes(range(30))
RECVONLY = "a=recvonly\r\n"


def media_of(sdp):
    """The descriptions of the media, each from its m= line."""
    return ["m=" + x for x in sdp.split("\r\nm=")[1:]]


def key_of(media):
    line = [x for x in media.split("\r\n") if x.startswith("a=crypto:1 ")][0]
    return base64.b64decode(line.split("inline:")[1].split("|")[0])


class Room:
    def __init__(self, args):
        self.a = Phone(args.caller, "10.77.1.2", 0xA11CE001)
        self.b = Phone(args.callee, "10.77.2.2", 0xB0B00001)
        # the first hears both, by a port for each; the second the caller; the third, with keys, the callee
        self.first = [Phone(args.callee, "10.77.2.2", 1, 7100), Phone(args.callee, "10.77.2.2", 2, 7110)]
        self.second = Phone(args.caller, "10.77.1.2", 3, 7200)
        self.third = Phone(args.caller, "10.77.1.2", 4, 7300)
        self.unseal = None
        self.ng = Ng(args.relay, "room")
        self.failed = 0

    def step(self, what, good):
        self.failed += not good
        print("ok" if good else "bad", what, flush=True)

    def ask(self, command, **keys):
        reply = self.ng.ask(command, **keys)
        if reply.get("result") != "ok":
            print("bad", command, reply, flush=True)
            self.failed += 1
        return reply

    def call(self):
        offer = self.ask("offer", from_tag="a", sdp=self.a.sdp(), direction=["caller", "callee"])
        self.b.relay(offer["sdp"])
        self.a.relay(self.ask("answer", from_tag="a", to_tag="b", sdp=self.b.sdp())["sdp"])

    def subscribe(self, tag, phones, more="", profile="RTP/AVP", **keys):
        """The relay's offer, which these phones have taken."""
        offer = self.ask("subscribe request", to_tag=tag, transport_protocol=profile, **keys)["sdp"]
        for phone, media in zip(phones, media_of(offer)):
            phone.relay(offer.split("\r\nm=")[0] + "\r\n" + media)
        sdp = phones[0].head() + "".join(x.media(profile, RECVONLY + more) for x in phones)
        self.ask("subscribe answer", to_tag=tag, sdp=sdp)
        return offer

    def subscribe_all(self):
        self.subscribe("first", self.first, flags=["all"], direction=["caller", "callee"])
        self.subscribe("second", [self.second], from_tag="a", direction=["callee", "caller"])
        crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + base64.b64encode(KEY).decode() + "\r\n"
        offer = self.subscribe("third", [self.third], crypto, "RTP/SAVP", from_tag="b",
                               direction=["callee", "caller"])
        self.unseal = pylibsrtp.Session(pylibsrtp.Policy(
            key=key_of(media_of(offer)[0]), ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND))

    def hear_sealed(self):
        self.third.rtp.settimeout(WAIT)
        try:
            data = self.unseal.unprotect(self.third.rtp.recv(2048))
        except (socket.timeout, pylibsrtp.Error):
            return None
        return data[1] & 0x7F, int.from_bytes(data[2:4], "big"), data[12:]

    def hears(self, what, sender, listeners, sealed=False):
        """Each of them gets all of it as it was sent, and in order."""
        good = True
        for i in range(50):
            voice = bytes([i]) * 160
            want = (PCMU, sender.send(PCMU, voice), voice)
            for listener in listeners:
                good = good and listener.hear(WAIT) == want
            good = good and (not sealed or self.hear_sealed() == want)
        self.step(what, good)

    def all_hear(self, when=""):
        self.hears(f"the caller is heard by the callee, the first and the second{when}", self.a,
                   [self.b, self.first[0], self.second])
        self.hears(f"the callee is heard by the caller, the first and, with keys, the third{when}",
                   self.b, [self.a, self.first[1]], sealed=True)

    def reports(self):
        """RTCP of the sender reaches all of them."""
        self.a.report()
        good = True
        for phone in (self.b, self.first[0], self.second):
            phone.rtcp.settimeout(WAIT)
            try:
                good = good and phone.rtcp.recv(2048)[1] == 200
            except socket.timeout:
                good = False
        self.step("sender reports of the caller reach all who hear it", good)

    def one_way(self):
        self.first[0].send(PCMU, bytes(160))
        self.second.send(PCMU, bytes(160))
        quiet = not any(x.hear(QUIET) for x in (self.a, self.b, self.second, self.first[0]))
        self.step("what subscribers send is heard by nobody", quiet)

    def coming_and_going(self):
        """The second leaves and comes back under traffic; the others lose nothing."""
        packets, heard = 600, {}

        def listen(phone):
            heard[phone] = 0
            while heard[phone] < packets and phone.hear(WAIT):
                heard[phone] += 1

        def speak():
            for _ in range(packets):
                self.a.send(PCMU, bytes(160))
                time.sleep(0.002)

        threads = [threading.Thread(target=listen, args=(x,)) for x in (self.b, self.first[0])]
        threads.append(threading.Thread(target=speak))
        for t in threads:
            t.start()
        changes = 0
        while threads[-1].is_alive():
            self.ask("unsubscribe", to_tag="second")
            self.subscribe("second", [self.second], from_tag="a", direction=["callee", "caller"])
            changes += 1
        for t in threads:
            t.join()
        self.step("one has come and gone often under traffic", changes >= 5)
        self.step(f"and the others have lost nothing: {list(heard.values())}",
                  all(n == packets for n in heard.values()))
        while self.second.hear(QUIET):
            pass

    def publication(self):
        """One who speaks to those alone who have subscribed."""
        reply = self.ask("publish", from_tag="a", sdp=self.a.sdp().replace("RTP/AVP", "RTP/AVP"),
                         direction=["caller", "caller"])
        self.step("who publishes is told to send", RECVONLY in reply["sdp"])
        self.a.relay(reply["sdp"])
        self.subscribe("x", [self.b], from_tag="a", direction=["caller", "callee"])
        self.subscribe("y", [self.second], from_tag="a", direction=["callee", "caller"])
        self.hears("those who have subscribed hear it", self.a, [self.b, self.second])
        self.ask("unsubscribe", to_tag="x")
        self.hears("and who stays hears on", self.a, [self.second])
        self.step("the other does not", not self.b.hear(QUIET))
        self.ask("delete")


def main():
    parser = argparse.ArgumentParser()
    for name in ("caller", "callee", "relay"):
        parser.add_argument(f"--{name}", required=True)
    r = Room(parser.parse_args())
    r.call()
    r.subscribe_all()
    r.all_hear()
    print("look", flush=True)
    sys.stdin.readline()
    r.reports()
    r.one_way()
    r.coming_and_going()
    print("restart", flush=True)
    sys.stdin.readline()
    r.all_hear(" after a restart")
    r.ask("delete", from_tag="a")
    r.step("with the call all subscriptions end",
           r.ng.ask("unsubscribe", to_tag="first")["result"] == "error")
    r.publication()
    return r.failed != 0


if __name__ == "__main__":
    sys.exit(main())
