# SPDX-License-Identifier: GPL-2.0-only
"""Messages that no controller sends, to the control socket of a DPDK worker.

Usage: hostile.py SOCKET SEED. Ends with 0 if the worker still answers a hello at the end.
"""
import random
import socket
import struct
import sys

MAGIC = 0x746E646D
OPS = range(12)  # two more than there are
HELLO, CONFIG = 0, 1
LONGEST = 20000


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect(path)
    return s


class Worker:
    def __init__(self, path):
        self.path = path
        self.socket = None
        self.answered = 0

    def say(self, message):
        """Send, and take the reply if there is one; a worker may hang up instead."""
        try:
            if not self.socket:
                self.socket = connect(self.path)
            self.socket.send(message)
            reply = self.socket.recv(1 << 16)
        except (ConnectionError, BrokenPipeError):
            reply = b""
        if reply:
            self.answered += 1
        else:
            self.socket.close()
            self.socket = None
        return reply


def main():
    worker, rng = Worker(sys.argv[1]), random.Random(int(sys.argv[2]))
    for length in list(range(1, 64)) + [1000, LONGEST, 100000]:
        worker.say(rng.randbytes(length))
    for op in OPS:
        head = struct.pack("=II", MAGIC, op)
        for length in range(8, LONGEST, 4 if op != HELLO else 64):
            # each length once with nothing in it, so that one of them is the right one
            worker.say(head + bytes(length - 8))
    for _ in range(3000):
        op = rng.choice(OPS)
        body = rng.randbytes(rng.randrange(0, 3000))
        if rng.random() < 0.5:
            body = bytes(b if rng.random() < 0.05 else 0 for b in body)
        worker.say(struct.pack("=II", MAGIC, op) + body)
    reply = worker.say(struct.pack("=II", MAGIC, HELLO) + bytes(64))
    print(f"{worker.answered} answers")
    sys.exit(0 if len(reply) >= 8 and struct.unpack_from("=I", reply)[0] == MAGIC else 1)


main()
