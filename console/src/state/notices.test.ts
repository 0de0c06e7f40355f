import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { notices } from './notices.svelte';

beforeEach(() => {
  vi.useFakeTimers();
  notices.items = [];
});
afterEach(() => vi.useRealTimers());

const shown = () => notices.items.map((n) => n.text);

it('what is true no more goes at once, and what else was said stays', () => {
  notices.show('Not saved: Say on which days these hours begin.');
  notices.show('Night chain, version 2 saved.', 'info');
  notices.withdraw('Not saved: Say on which days these hours begin.');
  expect(shown()).toEqual(['Night chain, version 2 saved.']);
  vi.advanceTimersByTime(9_000);
  expect(shown()).toEqual([]);
});
