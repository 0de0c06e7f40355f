import { describe, expect, it } from 'vitest';
import { isOver, opened, touched } from './idle';

const MINUTE = 60_000;
const TEN = 600;

describe('an inbox that lies open', () => {
  it('is over when nobody has touched it for ten minutes, however often it asked for news', () => {
    const idle = opened(0);
    expect(isOver(idle, TEN, 10 * MINUTE - 1)).toBe(false);
    expect(isOver(idle, TEN, 10 * MINUTE)).toBe(true);
  });

  it('stays open while it is touched, and tells the service twice a minute at most', () => {
    let idle = opened(0);
    const told: number[] = [];
    for (let at = 0; at <= 30 * MINUTE; at += 10_000) {
      const next = touched(idle, at);
      idle = next.idle;
      if (next.tell) told.push(at / MINUTE);
      expect(isOver(idle, TEN, at + 9 * MINUTE)).toBe(false);
    }
    expect(told).toHaveLength(60);
    expect(told[0]).toBe(0.5);
    expect(isOver(idle, TEN, 40 * MINUTE)).toBe(true);
  });

  it('is over when the clock was set back', () => {
    expect(isOver(opened(5 * MINUTE), TEN, 4 * MINUTE)).toBe(true);
  });
});
