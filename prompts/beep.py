#!/usr/bin/env python3
"""Makes prompts/en/beep.wav: the tone after which a caller speaks a voicemail. Standard library only."""
import math
import struct
import sys
import wave

RATE = 8_000
HERTZ = 1_000
SECONDS = 0.5
FADE = 0.01  # seconds, so that it does not click


def main(path):
    count = int(RATE * SECONDS)
    samples = []
    for i in range(count):
        t = i / RATE
        envelope = min(1.0, t / FADE, (count - i) / RATE / FADE)
        samples.append(int(9_000 * envelope * math.sin(2 * math.pi * HERTZ * t)))
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{count}h", *samples))


if __name__ == "__main__":
    main(sys.argv[1])
