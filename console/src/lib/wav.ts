// A WAV file: mono, 16 bits. Pure.

/** Samples between -1 and 1 as a WAV file. What is louder is cut. */
export function wavOf(samples: Float32Array, rate: number): Blob {
  const bytes = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const tag = (at: number, text: string) => [...text].forEach((letter, n) => bytes.setUint8(at + n, letter.charCodeAt(0)));
  tag(0, 'RIFF');
  bytes.setUint32(4, 36 + samples.length * 2, true);
  tag(8, 'WAVEfmt ');
  bytes.setUint32(16, 16, true);
  // PCM, one channel.
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, rate * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  tag(36, 'data');
  bytes.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, n) => bytes.setInt16(44 + n * 2, Math.max(-1, Math.min(1, sample)) * 0x7fff, true));
  return new Blob([bytes.buffer], { type: 'audio/wav' });
}
