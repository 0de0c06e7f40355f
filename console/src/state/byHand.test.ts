// A call by hand that does not come is told, and an earlier one is not taken for it.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api } from '../lib/api';
import type { FeedEvent } from '../lib/types';
import { accounts } from './accounts.svelte';
import { callByHand } from './byHand.svelte';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';

// The page's own things are not there.
vi.mock('./session.svelte', () => ({ session: { signed: null } }));
vi.mock('./phone.svelte', () => ({ phone: { unlock: async () => undefined } }));
vi.mock('./router.svelte', () => ({ router: { go: () => undefined } }));

const plumber = { id: 'acc_plumbing', name: 'Imaginary Plumbing' };
const call = (id: string, attempt: string, state: string) =>
  ({ id, seat: 'usr_kim', state, started_at: 1, account: plumber, job: { attempt, dispatch: 'dsp_1', by_hand: true } }) as never;
const feed = (event: unknown) => (desk as unknown as { apply(event: FeedEvent): void }).apply(event as FeedEvent);
const told = () => notices.items.map((n) => n.text);
const TOLD = ['Your call to Ben Ortiz for Imaginary Plumbing has not come about. The dispatch’s time line says more.'];
const BEN = { contact: 'con_ben', destination: 'des_mobile' };

beforeEach(() => {
  vi.useFakeTimers();
  desk.stop();
  notices.items = [];
  vi.spyOn(api, 'callByHand').mockResolvedValue(undefined as never);
  vi.spyOn(accounts, 'find').mockReturnValue({ contacts: [{ id: 'con_ben', name: 'Ben Ortiz' }] } as never);
  desk.feed = { ...desk.feed, user: { id: 'usr_kim', name: 'Kim Osei' } as never, calls: [call('call_1', 'att_1', 'wrap_up')], dispatches: [{ id: 'dsp_1', account: plumber } as never] };
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('that comes stands in the middle, and nothing is said', async () => {
  expect(await callByHand('dsp_1', BEN)).toBe(true);
  expect(desk.selected).toBeNull();
  feed({ type: 'call', call: call('call_2', 'att_2', 'offered') });
  expect(desk.selected).toBe('call_2');
  feed({ type: 'call', call: call('call_2', 'att_2', 'ringing_back') });
  desk.select('call_1');
  feed({ type: 'call_gone', id: 'call_2' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect([desk.selected, told()]).toEqual(['call_1', []]);
});

it('that does not come within a minute is told', async () => {
  await callByHand('dsp_1', BEN);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(told()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told()).toEqual(TOLD);
});

it('is nothing to whoever logs in after her', async () => {
  await callByHand('dsp_1', BEN);
  feed({ type: 'call', call: call('call_2', 'att_2', 'offered') });
  desk.stop();
  feed({ type: 'call_gone', id: 'call_2' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told()).toEqual([]);
});

it('that rings a telephone which nobody answers is told as it ends', async () => {
  await callByHand('dsp_1', BEN);
  feed({ type: 'call', call: call('call_2', 'att_2', 'offered') });
  feed({ type: 'call_gone', id: 'call_2' });
  expect(told()).toEqual(TOLD);
});
