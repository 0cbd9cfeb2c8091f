#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Requests that are no calls, as a story; a line "ok WHAT" or "not ok WHAT: WHY" each.

events.py CALLER_NS CALLEE_NS

alice is in one namespace, bob and his desk phone are in the other.
"""
import sys

from sip_phone import Dialog, Phone, body, calling, enter, first, header, tell, uri_of

GR = ";gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
MULTIPART = ("--cut\r\nContent-Type: application/pidf+xml\r\nContent-ID: <one@example.test>\r\n\r\n"
             "<presence/>\r\n--cut\r\nContent-Type: text/plain\r\n\r\n\r\n--cut--\r\n")


def state(value, event="presence"):
    return [f"Event: {event}", f"Subscription-State: {value}"]


class Story:
    def __init__(self, ns_a, ns_b):
        enter(ns_a)
        self.alice = Phone("alice", "10.77.1.2", "10.77.1.1")
        self.mobile = Phone("mobile", "10.77.1.2", "10.77.1.1", GR)
        enter(ns_b)
        self.bob = Phone("bob", "10.77.2.2", "10.77.2.1")
        self.desk = Phone("desk", "10.77.2.9", "10.77.2.1")
        for phone in (self.alice, self.mobile, self.bob):
            phone.register()
        for phone in (self.bob, self.desk):
            phone.register("team")

    def ask(self, phone, method, user, call_id, **more):
        """A request that belongs to nothing; From as it was sent."""
        local = f"<sip:{phone.name}@example.test>;tag={call_id}"
        phone.request(method, f"sip:{user}@example.test", call_id, 1, local,
                      f"<sip:{user}@example.test>", **more)
        return local

    def subscribe(self, user, call_id, notifiers):
        """alice subscribes; her From, and what each of the notifiers has of it."""
        local = self.ask(self.alice, "SUBSCRIBE", user, call_id,
                         extra=["Event: presence", "Expires: 600", "Accept: application/pidf+xml"])
        requests = [n.expect("SUBSCRIBE ") for n in notifiers]
        for r in requests:
            assert (first(r, "Event"), first(r, "Expires")) == ("presence", "600"), r
            assert first(r, "Contact") == self.alice.contact, r
        return local, requests

    def notify(self, notifier, d, text, value):
        """It comes to alice as it was, and is answered."""
        notifier.within(d, "NOTIFY", extra=state(value), text=text,
                        kind="multipart/related;boundary=cut")
        got = self.alice.expect("NOTIFY ")
        assert body(got) == text and first(got, "Subscription-State") == value, got
        self.alice.answer(got, "200 OK")
        notifier.expect("SIP/2.0 200")
        return got

    def again(self, d, notifier, expires):
        """alice asks once more, within the dialog, and only who that is with hears it."""
        self.alice.within(d, "SUBSCRIBE", extra=["Event: presence", f"Expires: {expires}"])
        request = notifier.expect("SUBSCRIBE ")
        assert first(request, "Expires") == str(expires), request
        notifier.answer(request, "200 OK", extra=[f"Expires: {expires}"])
        assert first(self.alice.expect("SIP/2.0 200"), "Expires") == str(expires)

    def subscription(self):
        """The first NOTIFY is there before the 200 (RFC 6665 section 4.2.2)."""
        local, (request,) = self.subscribe("bob", "sub", [self.bob])
        d = self.bob.called(request)
        self.notify(self.bob, d, MULTIPART, "active;expires=600")
        self.bob.answer(request, "200 OK", extra=["Expires: 500"])
        ok = self.alice.expect("SIP/2.0 200")
        assert first(ok, "Expires") == "500", ok
        mine = calling(local, ok)
        self.again(mine, self.bob, 300)
        self.notify(self.bob, d, "", "active;expires=300")
        self.again(mine, self.bob, 0)
        self.notify(self.bob, d, "", "terminated;reason=timeout")

    def forked(self):
        """Two phones take it; the one whose answer is not passed on is known by its NOTIFY."""
        local, requests = self.subscribe("team", "fork", [self.bob, self.desk])
        self.bob.answer(requests[0], "200 OK", extra=["Expires: 600"])
        self.alice.expect("SIP/2.0 200")
        self.desk.answer(requests[1], "200 OK", extra=["Expires: 600"])
        for phone, request in zip((self.bob, self.desk), requests):
            got = self.notify(phone, phone.called(request), "", "active;expires=600")
            assert f"tag={phone.name}" in first(got, "From"), got
            mine = Dialog("fork", local, first(got, "From"), uri_of(first(got, "Contact")),
                          header(got, "Record-Route"))
            self.again(mine, phone, 0)

    def unsolicited(self):
        """NOTIFY for which nobody has asked, as voice mail sends it."""
        self.ask(self.bob, "NOTIFY", "alice", "mwi", extra=state("active", "message-summary"),
                 text="Messages-Waiting: yes\r\n", kind="application/simple-message-summary")
        got = self.alice.expect("NOTIFY ")
        assert body(got) == "Messages-Waiting: yes\r\n", got
        self.alice.answer(got, "481 Subscription does not exist")
        self.bob.expect("SIP/2.0 481")

    def published(self):
        self.ask(self.alice, "PUBLISH", "bob", "pub", text=MULTIPART,
                 kind="multipart/related;boundary=cut",
                 extra=["Event: presence", "Expires: 60", "SIP-If-Match: dx200xyz"])
        got = self.bob.expect("PUBLISH ")
        assert body(got) == MULTIPART and first(got, "SIP-If-Match") == "dx200xyz", got
        assert not header(got, "Record-Route"), got
        self.bob.answer(got, "200 OK", extra=["SIP-ETag: kwj449x", "Expires: 60"])
        assert first(self.alice.expect("SIP/2.0 200"), "SIP-ETag") == "kwj449x"

    def refused(self):
        """What a refusal says comes along with it."""
        for status, line in (("489 Bad Event", "Allow-Events: dialog, message-summary"),
                             ("423 Interval Too Brief", "Min-Expires: 3600")):
            call_id = "refused" + status[:3]
            _, (request,) = self.subscribe("bob", call_id, [self.bob])
            self.bob.answer(request, status, extra=[line])
            name, _, value = line.partition(": ")
            assert first(self.alice.expect(f"SIP/2.0 {status}"), name) == value

    def unknown(self):
        """A method of tomorrow, with headers and text of its own."""
        self.ask(self.alice, "CONSIDER", "bob", "new", extra=["X-Thought: a;b=\"c, d\""],
                 text="\u2713 \r\n\r\n", kind="application/vnd.example;x=1")
        got = self.bob.expect("CONSIDER ")
        assert body(got) == "\u2713 \r\n\r\n" and first(got, "X-Thought") == "a;b=\"c, d\"", got
        assert first(got, "Max-Forwards") == "69", got
        self.bob.answer(got, "299 Considered")
        self.alice.expect("SIP/2.0 299")

    def gruu(self):
        """The gr of a Contact (RFC 5627) is there whenever that phone is meant."""
        self.ask(self.bob, "MESSAGE", "mobile", "gr1", text="hello", kind="text/plain")
        got = self.mobile.expect("MESSAGE ")
        assert got.split()[1] == uri_of(self.mobile.contact), got
        self.mobile.answer(got, "200 OK")
        self.bob.expect("SIP/2.0 200")
        local = self.ask(self.mobile, "INVITE", "bob", "gr2", text=self.mobile.sdp("10.77.1.2", 7000))
        invite = self.bob.expect("INVITE ")
        assert first(invite, "Contact") == self.mobile.contact, invite
        self.bob.answer(invite, "200 OK", text=self.bob.sdp("10.77.2.2", 7000))
        mine, his = calling(local, self.mobile.expect("SIP/2.0 200")), self.bob.called(invite)
        self.mobile.within(mine, "ACK", cseq=1)
        self.bob.expect("ACK ")
        self.bob.within(his, "BYE")
        bye = self.mobile.expect("BYE ")
        assert bye.split()[1] == uri_of(self.mobile.contact), bye
        self.mobile.answer(bye, "200 OK")
        self.bob.expect("SIP/2.0 200")


def main(ns_a, ns_b):
    story = Story(ns_a, ns_b)
    return tell((("a subscription", story.subscription),
                 ("a subscription with two phones", story.forked),
                 ("NOTIFY without one", story.unsolicited),
                 ("PUBLISH", story.published),
                 ("refusals", story.refused),
                 ("an unknown method", story.unknown),
                 ("gr of a contact", story.gruu)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
