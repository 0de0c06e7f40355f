import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PathWatch, type Watched } from './path';

/** A connection whose state a test says. */
class Line extends EventTarget {
  iceConnectionState: RTCIceConnectionState = 'new';
  /** Browsers call capturing listeners before all others; what runs these tests calls them as they were added. */
  captured = false;
  override addEventListener(type: string, listener: EventListener, capture?: boolean): void {
    this.captured ||= capture === true;
    super.addEventListener(type, listener);
  }
  go(state: RTCIceConnectionState): void {
    this.iceConnectionState = state;
    this.dispatchEvent(new Event('iceconnectionstatechange'));
  }
  get watched(): Watched {
    return this as unknown as Watched;
  }
}

let renewed = 0;
let changed = 0;
let watch: PathWatch;

beforeEach(() => {
  vi.useFakeTimers();
  renewed = changed = 0;
  watch = new PathWatch(
    () => (renewed += 1),
    () => (changed += 1),
  );
});
afterEach(() => vi.useRealTimers());

test('a way that is lost for a moment is waited for, and no new line is asked for', () => {
  const line = new Line();
  watch.add('a', line.watched);
  line.go('connected');
  line.go('disconnected');
  expect(watch.isFinding('a')).toBe(true);
  vi.advanceTimersByTime(700);
  line.go('connected');
  vi.advanceTimersByTime(60_000);
  expect([renewed, watch.isFinding('a'), changed]).toEqual([0, false, 2]);
});

test('a way that stays lost leads to new lines until it is found', () => {
  const line = new Line();
  watch.add('a', line.watched);
  line.go('connected');
  line.go('disconnected');
  vi.advanceTimersByTime(800);
  expect(renewed).toBe(1);
  line.go('checking');
  line.go('failed');
  vi.advanceTimersByTime(4_000);
  expect(renewed).toBe(2);
  line.go('connected');
  vi.advanceTimersByTime(60_000);
  expect([renewed, watch.isFinding('a')]).toEqual([2, false]);
});

test('the telephone below is not told of a failed way, as it would hang up', () => {
  const line = new Line();
  const told: string[] = [];
  watch.add('a', line.watched);
  line.addEventListener('iceconnectionstatechange', () => told.push(line.iceConnectionState));
  expect(line.captured).toBe(true);
  for (const state of ['connected', 'disconnected', 'failed', 'checking', 'connected'] as const) line.go(state);
  expect(told).toEqual(['connected', 'disconnected', 'checking', 'connected']);
});

test('a call that is over asks for nothing', () => {
  const line = new Line();
  watch.add('a', line.watched);
  line.go('failed');
  watch.remove('a');
  line.go('failed');
  vi.advanceTimersByTime(60_000);
  expect([renewed, watch.isFinding('a')]).toEqual([0, false]);
});
