#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What no browser does: WebSocket frames by hand.

  frames.py A:P PATH CASE [HEADER...]

Exit status 0 when the case went as it should.
"""
import os
import socket
import struct
import sys

OPTIONS = ("OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/WS hand.invalid;branch=z9hG4bK%s\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:h@example.test>;tag=h\r\nTo: <sip:example.test>\r\n"
           "Call-ID: %s@hand.invalid\r\nCSeq: 1 OPTIONS\r\n%s\r\n%s")


class Hand:
    def __init__(self, host, port, path, headers=("Sec-WebSocket-Protocol: sip",)):
        self.socket = socket.create_connection((host, port), 5)
        self.socket.settimeout(5)
        lines = [f"GET {path} HTTP/1.1", "Host: relay", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", *headers]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            data = self.socket.recv(4096)
            if not data:
                raise ConnectionError("refused")
            self.rest += data
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode())

    def send(self, data, opcode=1, final=True, masked=True):
        key = os.urandom(4)
        head = bytes([opcode | (0x80 if final else 0)])
        bit = 0x80 if masked else 0
        if len(data) < 126:
            head += bytes([bit | len(data)])
        elif len(data) < 65536:
            head += struct.pack("!BH", bit | 126, len(data))
        else:
            head += struct.pack("!BQ", bit | 127, len(data))
        if masked:
            head += key
            data = bytes(c ^ key[i % 4] for i, c in enumerate(data))
        self.socket.sendall(head + data)

    def exactly(self, n):
        while len(self.rest) < n:
            data = self.socket.recv(4096)
            if not data:
                raise ConnectionError("closed")
            self.rest += data
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def frame(self):
        """Opcode and data of the next frame."""
        first, second = self.exactly(2)
        n = second & 0x7f
        if n == 126:
            n, = struct.unpack("!H", self.exactly(2))
        elif n == 127:
            n, = struct.unpack("!Q", self.exactly(8))
        return first & 15, self.exactly(n)

    def ask(self, name, head="", body=""):
        return (OPTIONS % (name, name, head, body)).encode()

    def answered(self, name):
        opcode, data = self.frame()
        return opcode == 1 and data.startswith(b"SIP/2.0 200") and name.encode() in data

    def closes(self, code=None):
        """The connection ends, and with that code."""
        try:
            while True:
                opcode, data = self.frame()
                if opcode == 8:
                    return code is None or struct.unpack("!H", data[:2])[0] == code
        except (ConnectionError, OSError):
            return code is None


def case_plain(hand):
    hand.send(hand.ask("plain"))
    return hand.answered("plain")


def case_pieces(hand):
    data = hand.ask("pieces", "Content-Length: 3\r\n", "abcdef")
    hand.send(data[:10], final=False)
    for i in range(10, len(data) - 5, 7):
        hand.send(data[i:i + 7] if i + 7 < len(data) - 5 else data[i:len(data) - 5], 0, False)
    hand.send(data[len(data) - 5:], 0)
    return hand.answered("pieces")


def case_binary(hand):
    hand.send(hand.ask("binary"), 2)
    return hand.answered("binary")


def case_keepalive(hand):
    hand.send(b"\r\n\r\n")
    return hand.frame() == (1, b"\r\n")


def case_garbage(hand):
    """It is counted, and the connection is as good as before."""
    for data in (b"garbage", hand.ask("g", "Content-Length: 99\r\n", "x"),
                 hand.ask("g", "Content-Length: 0\r\nl: 0\r\n"), hand.ask("g", "Content-Length: -1\r\n")):
        hand.send(data)
    hand.send(hand.ask("after"))
    return hand.answered("after")


def case_long(hand):
    hand.send(b"x" * 70000)
    return hand.closes(1009)


def case_unmasked(hand):
    hand.send(hand.ask("unmasked"), masked=False)
    return hand.closes()


def case_many(hand):
    """sip.web.max_per_source is 3."""
    more = [Hand(*hand.address) for _ in range(2)]
    try:
        Hand(*hand.address)
    except (ConnectionError, OSError):
        return all(h.socket.fileno() >= 0 for h in more)
    return False


def case_hello(hand):
    return True


def main():
    host, _, port = sys.argv[1].rpartition(":")
    address = (host, int(port), sys.argv[2])
    try:
        hand = Hand(*address, *([tuple(sys.argv[4:])] if sys.argv[4:] else []))
        hand.address = address
        ok = globals()[f"case_{sys.argv[3]}"](hand)
    except OSError as error:
        print(error)
        ok = False
    sys.exit(not ok)


if __name__ == "__main__":
    main()
