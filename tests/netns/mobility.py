#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Phones that move and hand calls on, as a story; a line "ok WHAT" or "not ok WHAT: WHY" each.

mobility.py CALLER_NS CALLEE_NS

alice is in one namespace, bob and carol are in the other. While they signal their media go on, a
packet every 5 ms from each, and every packet is counted where it arrives.
"""
import re
import select
import struct
import sys
import threading
import time

from sip_phone import TIMEOUT, Phone, body, calling, enter, first, tell, udp, uri_of

PTIME = 0.005
# between two addresses some are on their way, and a slow machine has more of them
IN_FLIGHT = 20


class Talk:
    """The media of one phone in one call."""

    def __init__(self, ssrc, address):
        self.ssrc, self.seq, self.heard = ssrc, 0, {}
        self.socks = []
        self.target = None
        self.running = True
        self.move(address)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def move(self, address):
        """Listen at another address, too, and speak from there once it is agreed()."""
        self.socks.append(udp(address))

    def address(self):
        return self.socks[-1].getsockname()

    def agreed(self, sdp):
        ip = re.search(r"c=IN IP4 (\S+)", sdp).group(1)
        port = int(re.search(r"m=audio (\d+)", sdp).group(1))
        self.target = (self.socks[-1], (ip, port))

    def run(self):
        due = time.monotonic()
        while self.running:
            if self.target and time.monotonic() >= due:
                sock, to = self.target
                packet = struct.pack("!BBHII", 0x80, 8, self.seq & 0xFFFF, self.seq * 40, self.ssrc)
                sock.sendto(packet + bytes(40), to)
                self.seq += 1
                due = max(due + PTIME, time.monotonic() - 10 * PTIME)
            for sock in select.select(self.socks, [], [], 0.002)[0]:
                seq, _, ssrc = struct.unpack("!HII", sock.recv(2048)[2:12])
                self.heard.setdefault(ssrc, set()).add(seq)

    def stop(self):
        self.running = False
        self.thread.join()


def call(a, b, call_id, talk_a, talk_b, extra=()):
    """a calls b; what each knows of the dialog then, and the INVITE as b had it."""
    local, remote = f"<sip:{a.name}@example.test>;tag=a{call_id}", f"<sip:{b.name}@example.test>"
    a.request("INVITE", f"sip:{b.name}@example.test", call_id, 1, local, remote, extra=extra,
              text=a.sdp(*talk_a.address()))
    invite = b.expect("INVITE ")
    b.answer(invite, "200 OK", text=b.sdp(*talk_b.address()))
    ok = a.expect("SIP/2.0 200")
    talk_a.agreed(body(ok))
    da, db = calling(local, ok), b.called(invite)
    a.within(da, "ACK", cseq=1)
    b.expect("ACK ")
    # what came before the answer would have nowhere to go, and be counted as lost
    talk_b.agreed(body(invite))
    return da, db, invite


def renew(p, q, d, method, talk_p, talk_q):
    """p says where its media are now, and q answers."""
    p.within(d, method, text=p.sdp(*talk_p.address()))
    request = q.expect(method)
    talk_q.agreed(body(request))
    q.answer(request, "200 OK", text=q.sdp(*talk_q.address()))
    ok = p.expect("SIP/2.0 200")
    talk_p.agreed(body(ok))
    if method == "INVITE":
        p.within(d, "ACK", cseq=d.cseq)
        q.expect("ACK ")


def hang_up(p, q, d):
    p.within(d, "BYE")
    q.answer(q.expect("BYE "), "200 OK")
    p.expect("SIP/2.0 200")


def wait_heard(talk, ssrc, more):
    """Until talk has heard so many more packets of ssrc."""
    goal = len(talk.heard.get(ssrc, ())) + more
    end = time.monotonic() + TIMEOUT
    while len(talk.heard.get(ssrc, ())) < goal:
        if time.monotonic() > end:
            raise AssertionError(f"{len(talk.heard.get(ssrc, ()))} packets of {ssrc:x}, not {goal}")
        time.sleep(0.02)


def both_hear(x, y):
    wait_heard(x, y.ssrc, 50)
    wait_heard(y, x.ssrc, 50)


def lost(sender, receiver):
    heard = receiver.heard[sender.ssrc]
    return max(heard) + 1 - len(heard)


class Story:
    def __init__(self, ns_a, ns_b):
        enter(ns_a)
        self.alice = Phone("alice", "10.77.1.2", "10.77.1.1")
        self.ns_a, self.ns_b = ns_a, ns_b
        enter(ns_b)
        self.bob = Phone("bob", "10.77.2.2", "10.77.2.1")
        self.carol = Phone("carol", "10.77.2.2", "10.77.2.1")
        for p in (self.alice, self.bob, self.carol):
            p.register()

    def talk_a(self):
        enter(self.ns_a)
        return Talk(0xA, "10.77.1.2")

    def talk_b(self, ssrc=0xB):
        enter(self.ns_b)
        return Talk(ssrc, "10.77.2.2")

    def moved(self, method):
        """Each in turn takes its media to another address in the middle of the call."""
        ta, tb = self.talk_a(), self.talk_b()
        da, db, _ = call(self.alice, self.bob, f"move{method}", ta, tb)
        both_hear(ta, tb)
        enter(self.ns_a)
        ta.move("10.77.1.9")
        renew(self.alice, self.bob, da, method, ta, tb)
        both_hear(ta, tb)
        enter(self.ns_b)
        tb.move("10.77.2.9")
        renew(self.bob, self.alice, db, method, tb, ta)
        both_hear(ta, tb)
        hang_up(self.alice, self.bob, da)
        ta.stop()
        tb.stop()
        gone = lost(ta, tb), lost(tb, ta)
        print(f"# {method}: lost {gone[0]} of {ta.seq} and {gone[1]} of {tb.seq}", flush=True)
        assert max(gone) <= IN_FLIGHT, gone
        assert all(t.seq > 150 for t in (ta, tb))

    def roams(self):
        """alice herself goes to another address in the middle of a call, and is found there."""
        ta, tb = self.talk_a(), self.talk_b()
        da, db, _ = call(self.alice, self.bob, "roam", ta, tb)
        both_hear(ta, tb)
        enter(self.ns_a)
        left = self.alice.sock
        self.alice.bind("10.77.1.9")
        ta.move("10.77.1.9")
        self.alice.register()
        renew(self.alice, self.bob, da, "INVITE", ta, tb)
        db.target = uri_of(self.alice.contact)
        both_hear(ta, tb)
        self.bob.within(db, "INFO", text="Signal=5\r\n", kind="application/dtmf-relay")
        self.alice.answer(self.alice.expect("INFO "), "200 OK")
        self.bob.expect("SIP/2.0 200")
        hang_up(self.bob, self.alice, db)
        ta.stop()
        tb.stop()
        gone = lost(ta, tb), lost(tb, ta)
        print(f"# roaming: lost {gone[0]} of {ta.seq} and {gone[1]} of {tb.seq}", flush=True)
        assert max(gone) <= IN_FLIGHT, gone
        assert not select.select([left], [], [], 0)[0]

    def passes(self):
        """INFO within a call, MESSAGE and OPTIONS outside of one: with all that they came with."""
        ta, tb = self.talk_a(), self.talk_b()
        da, _, _ = call(self.alice, self.bob, "pass", ta, tb)
        self.alice.within(da, "INFO", extra=["Info-Package: dtmf"], text="Signal=5\r\n",
                          kind="application/dtmf-relay")
        info = self.bob.expect("INFO ")
        assert body(info) == "Signal=5\r\n" and first(info, "Info-Package") == "dtmf"
        self.bob.answer(info, "200 OK")
        self.alice.expect("SIP/2.0 200")
        hang_up(self.alice, self.bob, da)
        ta.stop()
        tb.stop()
        for method, text in (("MESSAGE", "Gr\u00fc\u00df"), ("OPTIONS", "")):
            local = f"<sip:alice@example.test>;tag={method}"
            self.alice.request(method, "sip:bob@example.test", f"out{method}", 1, local,
                               "<sip:bob@example.test>", text=text, kind="text/plain;charset=utf-8")
            request = self.bob.expect(method)
            assert body(request) == text
            self.bob.answer(request, "200 OK", extra=["Allow: INVITE"])
            assert first(self.alice.expect("SIP/2.0 200"), "Allow") == "INVITE"

    def notify(self, d, fragment, last=False):
        self.alice.within(d, "NOTIFY", text=fragment, kind="message/sipfrag", extra=[
            "Event: refer",
            "Subscription-State: " + ("terminated;reason=noresource" if last else "active;expires=60")])
        got = self.bob.expect("NOTIFY ")
        assert body(got) == fragment
        self.bob.answer(got, "200 OK")
        self.alice.expect("SIP/2.0 200")

    def blind(self):
        """bob hands alice on to carol."""
        ta, tb = self.talk_a(), self.talk_b()
        da, db, _ = call(self.alice, self.bob, "blind", ta, tb)
        both_hear(ta, tb)
        self.bob.within(db, "REFER", extra=["Refer-To: <sip:carol@example.test>",
                                            "Referred-By: <sip:bob@example.test>"])
        refer = self.alice.expect("REFER ")
        assert first(refer, "Refer-To") == "<sip:carol@example.test>"
        self.alice.answer(refer, "202 Accepted")
        self.bob.expect("SIP/2.0 202")
        self.notify(da, "SIP/2.0 100 Trying\r\n")
        tn, tc = self.talk_a(), self.talk_b(0xC)
        dn, _, invite = call(self.alice, self.carol, "blind2", tn, tc,
                             extra=["Referred-By: <sip:bob@example.test>"])
        assert first(invite, "Referred-By") == "<sip:bob@example.test>"
        self.notify(da, "SIP/2.0 200 OK\r\n", last=True)
        hang_up(self.bob, self.alice, db)
        both_hear(tn, tc)
        hang_up(self.alice, self.carol, dn)
        for t in (ta, tb, tn, tc):
            t.stop()
        assert lost(tn, tc) == 0 and lost(tc, tn) == 0

    def attended(self):
        """alice has bob and carol, and joins them: bob takes her place in carol's call (RFC 3891)."""
        ta, tb, tx, tc = self.talk_a(), self.talk_b(), self.talk_a(), self.talk_b(0xC)
        dab, dba, _ = call(self.alice, self.bob, "att1", ta, tb)
        dac, dca, _ = call(self.alice, self.carol, "att2", tx, tc)
        both_hear(tx, tc)
        replaces = f"att2;to-tag={dac.tag(dac.remote)};from-tag={dac.tag(dac.local)}"
        escaped = replaces.replace(";", "%3B").replace("=", "%3D")
        self.alice.within(dab, "REFER", extra=[
            f"Refer-To: <sip:carol@example.test?Replaces={escaped}>"])
        refer = self.bob.expect("REFER ")
        assert escaped in first(refer, "Refer-To")
        self.bob.answer(refer, "202 Accepted")
        self.alice.expect("SIP/2.0 202")
        tn, tm = self.talk_b(), self.talk_b(0xC)
        dbc, _, invite = call(self.bob, self.carol, "att3", tn, tm,
                              extra=[f"Replaces: {replaces}", "Require: replaces"])
        assert first(invite, "Replaces") == replaces and first(invite, "Require") == "replaces"
        hang_up(self.carol, self.alice, dca)
        hang_up(self.alice, self.bob, dab)
        both_hear(tn, tm)
        hang_up(self.bob, self.carol, dbc)
        for t in (ta, tb, tx, tc, tn, tm):
            t.stop()
        assert lost(tn, tm) == 0 and lost(tm, tn) == 0

    def other_device(self):
        """alice takes her call with bob to another device of hers, by Replaces."""
        ta, tb = self.talk_a(), self.talk_b()
        _, dba, _ = call(self.alice, self.bob, "dev1", ta, tb)
        both_hear(ta, tb)
        enter(self.ns_a)
        desk = Phone("desk", "10.77.1.9", "10.77.1.1")
        td = Talk(0xD, "10.77.1.9")
        tn = self.talk_b()
        replaces = f"dev1;to-tag={dba.tag(dba.local)};from-tag={dba.tag(dba.remote)}"
        dd, _, invite = call(desk, self.bob, "dev2", td, tn, extra=[f"Replaces: {replaces}"])
        assert first(invite, "Replaces") == replaces
        hang_up(self.bob, self.alice, dba)
        both_hear(td, tn)
        hang_up(desk, self.bob, dd)
        for t in (ta, tb, td, tn):
            t.stop()
        assert lost(td, tn) == 0 and lost(tn, td) == 0


def main(ns_a, ns_b):
    story = Story(ns_a, ns_b)
    return tell((("a re-INVITE moves media", lambda: story.moved("INVITE")),
                 ("an UPDATE moves media", lambda: story.moved("UPDATE")),
                 ("a phone goes elsewhere", story.roams),
                 ("INFO, MESSAGE and OPTIONS pass", story.passes),
                 ("a blind transfer", story.blind),
                 ("an attended transfer", story.attended),
                 ("a call goes to another device", story.other_device)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
