# SPDX-License-Identifier: GPL-2.0-only
"""What sound went over a wire, and whether a phone has heard it.

sound.py take PCAP src|dst ADDRESS            A-law of the RTP packets, by sequence number, to stdout
sound.py heard FILE.al HEARD.wav PACKETS      is what a phone has heard made of these, in their order?

A phone may leave packets out: where it is emulated, some are too late for its jitter buffer. What it
plays is to be the sound of packets all the same, of so many at least.
"""
import socket
import struct
import sys
import wave

FRAME = 160


def take(name, side, address):
    with open(name, "rb") as f:
        pcap = f.read()
    where = 26 if side == "src" else 30
    wanted, at, packets, first = socket.inet_aton(address), 24, {}, None
    while at + 16 <= len(pcap):
        size = struct.unpack_from("<8xI", pcap, at)[0]
        frame, at = pcap[at + 16:at + 16 + size], at + 16 + size
        if frame[23:24] != b"\x11" or frame[where:where + 4] != wanted:
            continue
        if len(frame) != 54 + FRAME or frame[42] != 0x80 or frame[43] & 0x7F != 8:
            continue
        seq = struct.unpack_from(">H", frame, 44)[0]
        first = seq if first is None else first
        packets.setdefault((seq - first + 0x8000) & 0xFFFF, frame[54:])
    for _, payload in sorted(packets.items()):
        sys.stdout.buffer.write(payload)


def decode(octet):
    """ITU-T G.711, A-law."""
    octet ^= 0x55
    segment, value = octet >> 4 & 7, (octet & 15) << 4
    value += 0x108 if segment else 8
    value <<= max(segment - 1, 0)
    return value if octet & 0x80 else -value


def heard(sent, name, least):
    table = [struct.pack("<h", decode(i)) for i in range(256)]
    with open(sent, "rb") as f:
        law = f.read()
    frames = {}
    for i in range(0, len(law) - FRAME + 1, FRAME):
        frames[b"".join(table[octet] for octet in law[i:i + FRAME])] = i // FRAME
    with wave.open(name, "rb") as w:
        sound = w.readframes(w.getnframes())
    order = [frames.get(sound[i:i + 2 * FRAME], -1) for i in range(0, len(sound) - 2 * FRAME + 1, 2 * FRAME)]
    rising = all(a < b for a, b in zip(order, order[1:]))
    print(f"sent {len(frames)}, heard {len(order)}, of them unknown {order.count(-1)}, in order: {rising}")
    return 0 if rising and -1 not in order and len(order) >= int(least) else 1


if __name__ == "__main__":
    sys.exit(take(*sys.argv[2:]) if sys.argv[1] == "take" else heard(*sys.argv[2:]))
