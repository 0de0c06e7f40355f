import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Bin, type Thrown } from './bin';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function bin() {
  const gone: string[] = [];
  let shown: Thrown<string>[] = [];
  return { bin: new Bin<string>((what) => gone.push(what), (thrown) => (shown = thrown)), gone, shown: () => shown.map((t) => t.what) };
}

it('has a draft that was thrown away back within ten seconds, and nothing of it was gone', () => {
  const { bin: b, gone, shown } = bin();
  b.put('one', 0);
  vi.advanceTimersByTime(4_000);
  b.put('two', 4_000);
  expect(shown()).toEqual(['one', 'two']);
  expect([b.takeLast(), b.takeLast(), b.takeLast()]).toEqual(['two', 'one', undefined]);
  vi.advanceTimersByTime(60_000);
  expect([gone, shown()]).toEqual([[], []]);
});

it('lets each go by itself when its ten seconds are over', () => {
  const { bin: b, gone, shown } = bin();
  b.put('one', 0);
  vi.advanceTimersByTime(9_999);
  b.put('two', 9_999);
  expect(gone).toEqual([]);
  vi.advanceTimersByTime(1);
  expect([gone, shown(), b.takeLast()]).toEqual([['one'], ['two'], 'two']);
});

it('keeps what a log-off finds in it', () => {
  const { bin: b, gone, shown } = bin();
  b.put('one', 0);
  b.forget();
  vi.advanceTimersByTime(60_000);
  expect([gone, shown()]).toEqual([[], []]);
});
