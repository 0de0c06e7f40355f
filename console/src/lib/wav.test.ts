import { expect, it } from 'vitest';
import { wavOf } from './wav';

it('samples become a mono WAV of 16 bits, and what is too loud is cut', async () => {
  const file = new DataView(await wavOf(new Float32Array([0, 0.5, -1, 2]), 16_000).arrayBuffer());
  const text = (at: number) => String.fromCharCode(...new Uint8Array(file.buffer, at, 4));
  expect([text(0), text(8), text(12), text(36)]).toEqual(['RIFF', 'WAVE', 'fmt ', 'data']);
  expect([file.getUint16(20, true), file.getUint16(22, true), file.getUint32(24, true), file.getUint16(34, true)]).toEqual([1, 1, 16_000, 16]);
  expect(file.getUint32(40, true)).toBe(8);
  expect(file.byteLength).toBe(52);
  expect([0, 1, 2, 3].map((n) => file.getInt16(44 + n * 2, true))).toEqual([0, 16_383, -32_767, 32_767]);
});
