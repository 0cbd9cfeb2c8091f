# SPDX-License-Identifier: GPL-2.0-only
"""Phones that register at one relay of a cluster and are called by way of another.

Reads commands, says "done COMMAND" or "failed COMMAND: why". NODE is a relay's address.
"""
import re
import socket
import sys

from sip_phone import TIMEOUT, Phone, calling, enter, first, header, uri_of

PHONES = "10.78.0.10"
STRANGER = "10.78.0.11"


class Natted(Phone):
    """Its contact is of another network; only who it has sent to reaches it."""

    def at(self, node):
        if self.relay[0] != node:
            self.relay = (node, 5060)
            self.bind(self.address)
            self.sock.connect(self.relay)
            self.contact = f"<sip:{self.name}@192.168.9.9:5070>"


class Wired(Phone):
    """It is reached on the connection that it has opened."""

    def at(self, node):
        if self.relay[0] == node:
            return
        self.relay, self.rest = (node, 5060), b""
        self.sock = socket.create_connection(self.relay, TIMEOUT, (self.address, 0))
        self.port = self.sock.getsockname()[1]
        self.contact = f"<sip:{self.name}@192.168.9.9:5070;transport=tcp>"

    def send(self, first_line, lines, text="", kind="application/sdp"):
        lines = [line.replace("SIP/2.0/UDP 10.78.0.10", "SIP/2.0/TCP 10.78.0.10") for line in lines]
        if text:
            lines.append(f"Content-Type: {kind}")
        lines.append(f"Content-Length: {len(text.encode())}")
        self.sock.sendall((first_line + "\r\n" + "\r\n".join(lines) + "\r\n\r\n" + text).encode())

    def message(self):
        while True:
            head, blank, rest = self.rest.partition(b"\r\n\r\n")
            length = int(re.search(rb"Content-Length: *(\d+)", head, re.I)[1]) if blank else 0
            if blank and len(rest) >= length:
                self.rest = rest[length:]
                return (head + blank + rest[:length]).decode()
            got = self.sock.recv(65535)
            if not got:
                raise AssertionError(f"{self.name}: the connection was closed")
            self.rest += got

    def expect(self, start):
        while True:
            text = self.message()
            if text.startswith("SIP/2.0 100"):
                continue
            if not text.startswith(start):
                raise AssertionError(f"{self.name} wants {start}, got {text.splitlines()[0]}")
            return text


class Plain(Phone):
    """Its contact is where it is."""

    def at(self, node):
        self.relay = (node, 5060)


class World:
    def __init__(self):
        self.phones = {"alice": Plain("alice", PHONES, ""), "bob": Natted("bob", PHONES, ""),
                       "carol": Wired("carol", PHONES, ""), "dave": Plain("dave", PHONES, ""),
                       "mallory": Plain("mallory", STRANGER, "")}
        self.calls = 0

    def phone(self, name, node=None):
        phone = self.phones[name]
        if node:
            phone.at(node)
        return phone

    def register(self, name, node, expires="300"):
        phone = self.phone(name, node)
        aor = f"<sip:{name}@example.test>"
        phone.registers += 1
        phone.request("REGISTER", "sip:example.test", f"reg{name}", phone.registers, aor + ";tag=r",
                      aor, extra=[f"Expires: {expires}"])
        answer = phone.expect("SIP/2.0 200")
        there = [c for c in header(answer, "Contact") if uri_of(c) == uri_of(phone.contact)]
        assert len(there) == (expires != "0"), f"contacts: {header(answer, 'Contact')}"

    def unregister(self, name, node):
        self.register(name, node, "0")

    def invite(self, caller, callee, routes=()):
        self.calls += 1
        local = f"<sip:{caller.name}@example.test>;tag=c{self.calls}"
        call_id = f"call{self.calls}-{caller.name}"
        caller.request("INVITE", f"sip:{callee}@example.test", call_id, 1, local,
                       f"<sip:{callee}@example.test>", routes, text=caller.sdp(caller.address, 7000))
        return local

    def ack(self, caller, dialog, cseq):
        caller.within(dialog, "ACK", cseq)

    def call(self, name, node, callee):
        """From INVITE to BYE, with a re-INVITE of the one who was called."""
        alice, bob = self.phone(name, node), self.phone(callee)
        local = self.invite(alice, callee)
        invite = bob.expect("INVITE")
        media = re.search(r"c=IN IP4 (\S+)", invite)[1]
        assert media == node, f"the media pass through {media}"
        assert "Route:" not in re.sub(r"Record-Route:", "", invite), "a Route came along"
        theirs = bob.called(invite)
        bob.answer(invite, "200 OK", text=bob.sdp(bob.address, 7002))
        answer = alice.expect("SIP/2.0 200")
        ours = calling(local, answer)
        self.ack(alice, ours, 1)
        bob.expect("ACK")
        bob.within(theirs, "INVITE", text=bob.sdp(bob.address, 7004))
        again = alice.expect("INVITE")
        media = re.search(r"c=IN IP4 (\S+)", again)[1]
        assert media == node, f"the media of the re-INVITE pass through {media}"
        alice.answer(again, "200 OK", text=alice.sdp(alice.address, 7006))
        bob.expect("SIP/2.0 200")
        self.ack(bob, theirs, theirs.cseq)
        alice.expect("ACK")
        alice.within(ours, "BYE")
        bye = bob.expect("BYE")
        bob.answer(bye, "200 OK")
        alice.expect("SIP/2.0 200")

    def refused(self, name, node, callee, status):
        caller = self.phone(name, node)
        local = self.invite(caller, callee)
        answer = caller.expect(f"SIP/2.0 {status}")
        target = f"sip:{callee}@example.test"
        caller.request("ACK", target, first(answer, "Call-ID"), 1, local, first(answer, "To"))

    def forge(self, name, node, callee):
        """A Route like those of one relay to another, with a hash that nobody has made."""
        caller = self.phone(name, node)
        self.invite(caller, callee, [f"<sip:000000000000000100112233445566ff@{node}:5060;lr>"])
        caller.expect("SIP/2.0 407")

    def answers(self, name, node):
        """It sends to the relay that calls it."""
        self.phones[name].at(node)

    def silent(self, callee):
        """Nobody is calling."""
        self.phones[callee].sock.settimeout(1)
        try:
            got = self.phones[callee].sock.recv(65535)
        except (TimeoutError, ConnectionRefusedError):
            return
        raise AssertionError(f"{callee} got {got[:60]}")


def main():
    enter(sys.argv[1])
    world = World()
    for line in sys.stdin:
        command, *words = line.split()
        try:
            getattr(world, command)(*words)
            print(f"done {line.strip()}", flush=True)
        except (AssertionError, AttributeError, IndexError, KeyError, OSError, TypeError) as e:
            print(f"failed {line.strip()}: {type(e).__name__} {e}", flush=True)


main()
