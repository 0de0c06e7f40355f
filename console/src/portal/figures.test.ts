import { expect, test } from 'vitest';
import { chartOf, endsOf, lengthWords, roundUp, shareWords } from './figures';
import type { ReportDay } from './types';

const day = (date: string, calls: number, wait: number | null): ReportDay => ({
  date,
  calls,
  answered: calls,
  abandoned: 0,
  messages: 0,
  dispatches: {},
  wait_median_ms: wait,
  wait_p90_ms: null,
  delivery_median_ms: null,
  delivery_p90_ms: null,
  patch_ms: 0,
});

test('tops are round, and never below what they hold', () => {
  expect([0, 1, 3, 7, 10, 11, 180, 0.3].map(roundUp)).toEqual([1, 1, 5, 10, 10, 20, 200, 0.5]);
});

test('bars begin at zero and stack; all of them fit', () => {
  const { bars, top } = chartOf([day('2026-03-01', 4, null), day('2026-03-02', 8, null)], (d) => [d.calls - 1, 1], ['answered', 'not answered']);
  expect(top).toBe(10);
  expect(bars[1]!.parts[0]!.height).toBeCloseTo(70);
  expect(bars[1]!.parts[1]!.height).toBeCloseTo(10);
  expect(bars[1]!.parts.map((p) => p.from)).toEqual([0, expect.closeTo(70)]);
  expect(bars[0]!.words).toBe('Sun 1: 3 answered, 1 not answered');
});

test('a day with nothing to measure has no bar and says so', () => {
  const { bars } = chartOf([day('2026-03-01', 0, null), day('2026-03-02', 1, 2_000)], (d) => [d.wait_median_ms], ['wait']);
  expect(bars[0]!.parts[0]!.height).toBe(0);
  expect(bars[0]!.words).toBe('Sun 1: none wait');
});

test('lengths and shares', () => {
  expect([null, 0, 12_300, 80_000, 120_000, 7_500_000].map(lengthWords)).toEqual(['–', '0 s', '12 s', '1 min 20 s', '2 min', '2 h 05 min']);
  expect(shareWords(48, 50)).toBe('96 % (48 of 50)');
  expect(shareWords(0, 0)).toBe('–');
});

test('ends of dispatches, the most frequent first, those that never came left out', () => {
  expect(endsOf({ told: 1, confirmed: 3, delivered: 0 })).toEqual([
    { words: 'confirmed by a person', count: 3 },
    { words: 'heard or opened by a person', count: 1 },
  ]);
});
