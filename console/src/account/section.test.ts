// A part of the account's page: what is said of a save.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Problem } from '../lib/api';
import { notices } from '../state/notices.svelte';
import { Section } from './section.svelte';

const kept = new Map<string, string>();

beforeEach(() => {
  vi.useFakeTimers();
  kept.clear();
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key) });
  notices.items = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('of a version that was refused and then saved, only the saving is said, and in sight', async () => {
  const send = vi.fn<(value: string) => Promise<void>>();
  const section = new Section<string>({ title: 'Night chain, version 2', key: 'k', now: 'old', reload: async () => undefined, undoable: false, send });
  const told = () => notices.items.map((n) => [n.level, n.text]);
  section.value = 'new';
  const problem = new Problem(422, 'protocol.invalid', 'Say on which days these hours begin.');
  send.mockRejectedValueOnce(problem);
  expect(await section.save()).toBe(false);
  expect(told()).toEqual([['error', `Not saved: ${problem.message}`]]);
  send.mockResolvedValue(undefined);
  expect(await section.save()).toBe(true);
  expect(told()).toEqual([['info', 'Night chain, version 2 saved.']]);
});
