#!/usr/bin/env python3
"""Makes prompts/en/music.wav: 32 s of quiet music on hold that loops without a seam. Standard library only."""
import math
import struct
import sys
import wave

RATE = 8_000
BEAT = 0.5  # seconds
# Four bars of four chords, twice; each chord two seconds, as arpeggios (MIDI note numbers).
CHORDS = [(57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67)] * 2
BASS = [45, 41, 36, 43] * 2
LENGTH = int(len(CHORDS) * 4 * RATE)


def frequency(note):
    return 440.0 * 2 ** ((note - 69) / 12)


def add(samples, start, note, seconds, level):
    """A soft plucked note: three partials and an exponential fade; wraps round the end of the loop."""
    f = frequency(note)
    for i in range(int(seconds * RATE)):
        t = i / RATE
        envelope = min(1.0, t / 0.02) * math.exp(-2.2 * t)
        value = sum(math.sin(2 * math.pi * f * k * t) / (k * k) for k in (1, 2, 3))
        samples[(start + i) % LENGTH] += level * envelope * value


def main(path):
    samples = [0.0] * LENGTH
    for bar, (chord, bass) in enumerate(zip(CHORDS, BASS)):
        start = bar * 4 * RATE
        add(samples, start, bass, 3.5, 0.5)
        add(samples, start + 2 * RATE, bass + 7, 2.0, 0.3)
        for step, index in enumerate((0, 1, 2, 3, 2, 1, 3, 2)):
            add(samples, start + int(step * BEAT * RATE), chord[index], 2.0, 0.35)
    peak = max(abs(s) for s in samples)
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"".join(struct.pack("<h", int(s / peak * 9_000)) for s in samples))


if __name__ == "__main__":
    main(sys.argv[1])
