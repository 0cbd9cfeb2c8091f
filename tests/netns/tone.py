#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Pure tones, to tell by ear-free means who is heard.

  tone.py make FILE HZ SECONDS   a WAV file: 8 kHz, 16 bits, mono
  tone.py peak FILE              the strongest frequency of its last second, in Hz, to 10 Hz; its
                                 exit status is 1 when there is silence, or not one tone
"""
import math
import struct
import sys
import wave

RATE = 8000


def make(path, hz, seconds):
    with wave.open(path, "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", ""))
        w.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * hz * i / RATE)))
                               for i in range(int(seconds * RATE))))


def power(samples, hz, rate):
    """Goertzel: the part of the samples' energy that is at this frequency, 0 to 1."""
    step = 2 * math.cos(2 * math.pi * hz / rate)
    one = two = 0.0
    for sample in samples:
        one, two = sample + step * one - two, one
    energy = sum(sample * sample for sample in samples) * len(samples) / 2
    return (one * one + two * two - step * one * two) / energy if energy else 0.0


def peak(path):
    with wave.open(path, "rb") as w:
        rate, width, count = w.getframerate(), w.getnchannels(), w.getnframes()
        w.setpos(max(0, count - 2 * rate))
        data = w.readframes(rate)
    samples = struct.unpack(f"<{len(data) // 2}h", data)[::width][:rate]
    found = max(range(100, 3400, 10), key=lambda hz: power(samples, hz, rate))
    print(found)
    return power(samples, found, rate) < 0.5


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
    else:
        sys.exit(peak(sys.argv[2]))
