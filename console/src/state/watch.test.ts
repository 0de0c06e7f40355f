// A caller who is taken from a desk while she types: no other form comes under her fingers.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '../lib/api';
import { SPEAKING, myCalls } from '../lib/reduce';
import type { CallView, FeedEvent } from '../lib/types';
import { accounts } from './accounts.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';
import { notices } from './notices.svelte';
import { session } from './session.svelte';
import { watch } from './watch.svelte';

// The page's own things are not there.
vi.mock('./session.svelte', () => ({ session: { signed: null } }));
vi.mock('./phone.svelte', () => ({ phone: { checkedAt: null, unpass: () => undefined, ringing: false } }));
vi.mock('../lib/sound', () => ({ isUnlocked: () => false }));

const plumber = { id: 'acc_plumbing', name: 'Imaginary Plumbing', color: '#888', zone: 'UTC' };
const brief = { answer_phrase: 'Imaginary Plumbing.', notes: '' };
const kim = { id: 'usr_kim', name: 'Kim Osei' };
const seat = (user: { id: string; name: string }) => ({ user, state: 'ready', reason: null, since: 0, calls: [] });

const calling = (id: string, more: Partial<CallView> = {}) =>
  ({ id, account: plumber, account_brief: brief, caller: null, state: 'talking', seat: kim.id, started_at: 1, state_since: 1, ended: null, parked: null, colleague: null, patch: null, chosen: [], ...more }) as unknown as CallView;
const moved = { why: { kind: 'moved', by: 'usr_sam', from: kim.id }, contacts: [] } as unknown as CallView['comes'];
const feed = (event: unknown) => (desk as unknown as { apply(event: FeedEvent): void }).apply(event as FeedEvent);
const people = [{ id: 'usr_lee', name: 'Lee Sandoval' }, { id: 'usr_sam', name: 'Sam Ito' }];
const say = (call: CallView) => feed({ type: 'call', call });

function typed(call: CallView, words: string): void {
  const draft = forms.open(call);
  draft.answers.name = words;
}

beforeEach(() => {
  desk.stop();
  forms.clear();
  notices.items = [];
  vi.restoreAllMocks();
  vi.stubGlobal('document', { activeElement: null });
  vi.stubGlobal('HTMLElement', class {});
  // Outside a page nothing is derived anew.
  vi.spyOn(desk, 'mine', 'get').mockImplementation(() => myCalls(desk.feed));
  vi.spyOn(desk, 'speaking', 'get').mockImplementation(() => desk.mine.find((c) => SPEAKING.has(c.state)) ?? null);
  vi.spyOn(accounts, 'want').mockResolvedValue(undefined);
  vi.spyOn(api, 'putDraft').mockResolvedValue(undefined as never);
  vi.spyOn(api, 'seats').mockResolvedValue({ items: people.map(seat) } as never);
  watch.start();
  feed({ type: 'hello', user: kim, seat: seat(kim), calls: [], queue: { waiting: [], ready: 0, talking: 0 }, dispatches: [], alarms: [] });
  for (const user of people) feed({ type: 'seat', seat: seat(user) });
  // The form of a caller who hung up earlier.
  typed(calling('call_old'), 'Hold Er');
  const call = calling('call_1');
  say(call);
  desk.select('call_1');
  typed(call, 'Bea, water runs');
});

afterEach(() => {
  watch.stop();
  desk.stop();
  vi.unstubAllGlobals();
});

describe('a call that is moved to another operator', () => {
  it('leaves no other form in the middle, and a word of who has it and who moved it', () => {
    say(calling('call_1', { state: 'queued', seat: null, comes: moved }));
    expect(desk.selected).toBeNull();
    expect(watch.awayWords(desk.away!)).toMatch(/^The call of Imaginary Plumbing waits for another operator now \(moved by Sam Ito\)/);
    say(calling('call_1', { seat: 'usr_lee', comes: moved }));
    expect(desk.selected).toBeNull();
    expect(watch.awayWords(desk.away!)).toMatch(/^Lee Sandoval has the call of Imaginary Plumbing now \(moved by Sam Ito\)/);
    feed({ type: 'call_gone', id: 'call_1' });
    expect(desk.selected).toBeNull();
    expect(desk.away?.to).toBe('usr_lee');
  });

  it('brings no caller on hold to the middle either', () => {
    say(calling('call_2', { state: 'held', started_at: 0 }));
    desk.select('call_1');
    say(calling('call_1', { seat: 'usr_lee', comes: moved }));
    expect(desk.selected).toBeNull();
    desk.select('call_2');
    expect(desk.away).toBeNull();
  });

  it('is told also when it stood on hold beside another', () => {
    say(calling('call_2', { state: 'held' }));
    desk.select('call_1');
    say(calling('call_2', { state: 'queued', seat: null, comes: moved }));
    expect(desk.selected).toBe('call_1');
    expect(notices.items.map((n) => n.text)).toEqual(['The call of Imaginary Plumbing waits for another operator now (moved by Sam Ito).']);
  });

  it('gives way to the next caller she speaks with', () => {
    say(calling('call_1', { seat: 'usr_lee', comes: moved }));
    say(calling('call_3'));
    expect(desk.selected).toBe('call_3');
    expect(desk.away).toBeNull();
  });

  it('and is given away by herself needs no telling', () => {
    say(calling('call_1', { seat: 'usr_lee', comes: { why: { kind: 'passed_on', by: kim.id }, contacts: [] } as never }));
    expect(desk.away).toBeNull();
    expect(notices.items).toEqual([]);
  });
});

describe('letters that go on after the form has gone', () => {
  it('are no keys of the desk, until she has stopped', () => {
    vi.useFakeTimers();
    desk.typed();
    say(calling('call_1', { seat: 'usr_lee', comes: moved }));
    vi.advanceTimersByTime(2_000);
    expect(desk.typesOn(true)).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect(desk.typesOn(true)).toBe(true);
    say(calling('call_3'));
    expect(desk.selected).toBeNull();
    vi.advanceTimersByTime(3_500);
    expect(desk.typesOn(true)).toBe(false);
    say(calling('call_3', { state_since: 2 }));
    expect(desk.selected).toBe('call_3');
    vi.useRealTimers();
  });
});

describe('an operator who is logged out by somebody', () => {
  it('is told by whom, and that it is after this call, once', () => {
    const out = (state: string) => feed({ type: 'seat', seat: { ...seat(kim), state, reason: 'logged out by Sam Ito' } });
    out('talking');
    out('not_ready');
    expect(notices.items.map((n) => n.text)).toEqual(['Sam Ito logged you out: no more calls come to you after this one.']);
    expect(session.sentHomeBy).toBe('Sam Ito');
  });
});
