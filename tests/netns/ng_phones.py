# SPDX-License-Identifier: GPL-2.0-only
"""A client of the NG protocol, and phones whose packets one program sees leave and arrive."""

import ctypes
import json
import os
import socket
import struct

WAIT = 10.0  # for what has to come; it comes at once unless the machine is busy


def socket_in(namespace, kind, address=None, reuse=False):
    """A socket in a namespace; this thread is back in its own afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(other, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
    try:
        s = socket.socket(socket.AF_INET, kind)
        if reuse:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address:
            s.bind(address)
    finally:
        libc.setns(own, 0x40000000)
        os.close(own)
        os.close(other)
    return s


class Ng:
    """Requests in JSON over UDP, about one call."""

    def __init__(self, namespace, call="media"):
        self.call = call
        self.s = socket_in(namespace, socket.SOCK_DGRAM)
        self.s.connect(("127.0.0.1", 2223))
        self.s.settimeout(WAIT)
        self.n = 0

    def ask(self, command, **keys):
        self.n += 1
        keys = {k.replace("_", "-"): v for k, v in keys.items()}
        body = json.dumps({"command": command, "call-id": self.call, **keys})
        self.s.send(f"{self.n} {body}".encode())
        while True:
            cookie, _, text = self.s.recv(65536).partition(b" ")
            if cookie == str(self.n).encode():
                return json.loads(text)


class Phone:
    """One end: RTP on a port, RTCP on the next."""

    def __init__(self, namespace, host, ssrc, port=7000):
        self.host, self.port, self.ssrc, self.seq, self.ts = host, port, ssrc, 100, 0
        self.rtp = socket_in(namespace, socket.SOCK_DGRAM, (host, port))
        self.rtp.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE: not all listen while they talk
        self.rtcp = socket_in(namespace, socket.SOCK_DGRAM, (host, port + 1))
        self.to = None

    def head(self):
        host = self.host
        return f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"

    def media(self, profile="RTP/AVP", more=""):
        return (
            f"m=audio {self.port} {profile} 0 8 9 97 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:97 AMR/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\n{more}"
        )

    def sdp(self):
        return self.head() + self.media()

    def relay(self, sdp):
        """Where the description of the other side has its media."""
        host = [x for x in sdp.split("\r\n") if x.startswith("c=")][0].split()[2]
        port = [x for x in sdp.split("\r\n") if x.startswith("m=")][0].split()[1]
        self.to = (host, int(port))

    def send(self, pt, payload):
        head = struct.pack(">BBHII", 0x80, pt, self.seq, self.ts, self.ssrc)
        self.rtp.sendto(head + payload, self.to)
        self.seq, self.ts = self.seq + 1 & 0xFFFF, self.ts + 160
        return self.seq - 1 & 0xFFFF

    def hear(self, wait):
        """The next packet: payload type, sequence number, payload; None: there is none."""
        self.rtp.settimeout(wait)
        try:
            data = self.rtp.recv(2048)
        except socket.timeout:
            return None
        return data[1] & 0x7F, struct.unpack(">H", data[2:4])[0], data[12:]

    def report(self):
        """A sender report; to the other phone's RTCP."""
        sr = struct.pack(">BBHIIIIII", 0x80, 200, 6, self.ssrc, 1, 2, self.ts, 3, 4)
        self.rtcp.sendto(sr, (self.to[0], self.to[1] + 1))
