# SPDX-License-Identifier: GPL-2.0-only
"""SIP phones of which a story knows every message, over UDP through a relay."""
import ctypes
import os
import re
import select
import socket
import time

TIMEOUT = 10
CLONE_NEWNET = 0x40000000


def enter(namespace):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


def udp(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 0))
    return sock


def header(text, name):
    return re.findall(rf"^{name}: *(.*?)\r?$", text, re.M | re.I)


def first(text, name):
    return header(text, name)[0]


def body(text):
    return text.partition("\r\n\r\n")[2]


def uri_of(value):
    return re.search(r"<(.*?)>", value).group(1)


class Dialog:
    """What one side knows of a dialog."""

    def __init__(self, call_id, local, remote, target, routes):
        self.call_id, self.local, self.remote = call_id, local, remote
        self.target, self.routes, self.cseq = target, routes, 1

    def tag(self, side):
        return re.search(r"tag=([^;>]+)", side).group(1)


class Phone:
    """What it sends is said in full; it repeats nothing, and hears no repetition."""

    def __init__(self, name, address, relay, params=""):
        self.name, self.relay, self.params = name, (relay, 5060), params
        self.bind(address)
        self.count = self.registers = 0
        self.version = 0
        self.seen = set()

    def bind(self, address):
        """Be there from now on."""
        self.address, self.sock = address, udp(address)
        self.port = self.sock.getsockname()[1]
        self.contact = f"<sip:{self.name}@{address}:{self.port}{self.params}>"

    def sdp(self, ip, port):
        self.version += 1
        return (f"v=0\r\no={self.name} 1 {self.version} IN IP4 {ip}\r\ns=-\r\n"
                f"c=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n")

    def send(self, first_line, lines, text="", kind="application/sdp"):
        lines = list(lines)
        if text:
            lines.append(f"Content-Type: {kind}")
        lines.append(f"Content-Length: {len(text.encode())}")
        message = first_line + "\r\n" + "\r\n".join(lines) + "\r\n\r\n" + text
        self.sock.sendto(message.encode(), self.relay)

    def expect(self, start):
        """The next message that is no 100 and no repetition must begin so."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if not select.select([self.sock], [], [], 0.2)[0]:
                continue
            text = self.sock.recv(65535).decode()
            if text.startswith("SIP/2.0 100") or text in self.seen:
                continue
            self.seen.add(text)
            if not text.startswith(start):
                raise AssertionError(f"{self.name} wants {start}, got {text.splitlines()[0]}")
            return text
        raise AssertionError(f"{self.name} wants {start}, got nothing")

    def request(self, method, uri, call_id, cseq, local, remote, routes=(), extra=(), text="",
                kind="application/sdp"):
        self.count += 1
        lines = [f"Via: SIP/2.0/UDP {self.address}:{self.port};rport;"
                 f"branch=z9hG4bK{self.name}{self.count}"]
        lines += [f"Route: {r}" for r in routes]
        lines += ["Max-Forwards: 70", f"From: {local}", f"To: {remote}", f"Call-ID: {call_id}",
                  f"CSeq: {cseq} {method}", f"Contact: {self.contact}", *extra]
        self.send(f"{method} {uri} SIP/2.0", lines, text, kind)

    def within(self, d, method, cseq=None, **more):
        if cseq is None:
            d.cseq += 1
            cseq = d.cseq
        self.request(method, d.target, d.call_id, cseq, d.local, d.remote, d.routes, **more)

    def answer(self, request, status, extra=(), text=""):
        to = first(request, "To")
        if "tag=" not in to:
            to += self.tag(first(request, "Call-ID"))
        lines = [f"Via: {v}" for v in header(request, "Via")]
        lines += [f"Record-Route: {v}" for v in header(request, "Record-Route")]
        lines += [f"{name}: {first(request, name)}" for name in ("From", "Call-ID", "CSeq")]
        lines += [f"To: {to}", f"Contact: {self.contact}", *extra]
        self.send(f"SIP/2.0 {status}", lines, text)

    def tag(self, call_id):
        return f";tag={self.name}{call_id}"

    def called(self, request):
        """The dialog that a request to this phone begins."""
        call_id = first(request, "Call-ID")
        d = Dialog(call_id, first(request, "To") + self.tag(call_id), first(request, "From"),
                   uri_of(first(request, "Contact")), header(request, "Record-Route"))
        d.cseq = 100
        return d

    def register(self, user=None):
        user = user or self.name
        aor = f"<sip:{user}@example.test>"
        self.registers += 1
        self.request("REGISTER", "sip:example.test", f"reg{self.name}{user}", self.registers,
                     aor + ";tag=r", aor)
        self.expect("SIP/2.0 200")


def calling(local, answer):
    """The dialog that an answer begins for the phone that is local."""
    return Dialog(first(answer, "Call-ID"), local, first(answer, "To"),
                  uri_of(first(answer, "Contact")), header(answer, "Record-Route")[::-1])


def tell(steps):
    """Each step of a story in its turn, a line for each; 1 when one has failed."""
    for what, step in steps:
        try:
            step()
            print(f"ok {what}", flush=True)
        except (AssertionError, AttributeError, IndexError, KeyError, OSError) as e:
            print(f"not ok {what}: {type(e).__name__} {e}", flush=True)
            return 1
    return 0
