import { describe, expect, it } from 'vitest';
import { EMPTY, firstWaiting, myCalls, parkedCalls, readyColleagues, reduce, watched, withSeats, type FeedState } from './reduce';
import { retryDelay } from './feed';
import type { CallView, DispatchView, Hello, SeatView } from './types';

const account = { id: 'acc_p', name: 'Imaginary Plumbing', color: '#2266aa', zone: 'America/New_York' };

function call(id: string, more: Partial<CallView> = {}): CallView {
  return {
    id,
    account,
    account_brief: { answer_phrase: '', notes: '' },
    did: '+12025550102',
    caller: null,
    forwarded_from: null,
    state: 'talking',
    seat: 'usr_kim',
    started_at: 1,
    state_since: 1,
    offered_until: null,
    patch: null,
    hears: [],
    ended: null,
    parked: null,
    colleague: null,
    taken: false,
    note: null,
    recording: { mode: 'off', state: 'off' },
    earlier: 0,
    listeners: [],
    chosen: [],
    call_type: null,
    ...more,
  };
}

function dispatch(id: string, more: Partial<DispatchView> = {}): DispatchView {
  return {
    id,
    message: 'msg_1',
    reference: '482913',
    account,
    state: 'running',
    urgency: 'urgent',
    needs_operator: false,
    alarm: null,
    opened_at: 1,
    edition: 1,
    held_since: null,
    closed_at: null,
    undo_until: null,
    headline: '',
    last: null,
    next: null,
    confirmed_by: null,
    patches: [],
    timeline: [],
    ...more,
  };
}

const hello: Hello = {
  type: 'hello',
  user: { id: 'usr_kim', login: 'kim', name: 'Kim', role: 'operator' },
  seat: { user: { id: 'usr_kim', name: 'Kim' }, state: 'ready', reason: null, since: 1, calls: [] },
  calls: [call('call_1')],
  queue: { waiting: [], ready: 1, talking: 0 },
  dispatches: [],
  alarms: [],
};

const start: FeedState = reduce(EMPTY, hello);

describe('the feed', () => {
  it('replaces everything on hello', () => {
    const stale = reduce(start, { type: 'call', call: call('call_old') });
    expect(reduce(stale, hello).calls.map((c) => c.id)).toEqual(['call_1']);
  });

  it('replaces a call in place and adds a new one', () => {
    let state = reduce(start, { type: 'call', call: call('call_1', { state: 'held' }) });
    state = reduce(state, { type: 'call', call: call('call_2') });
    expect(state.calls.map((c) => [c.id, c.state])).toEqual([
      ['call_1', 'held'],
      ['call_2', 'talking'],
    ]);
    expect(start.calls[0]?.state).toBe('talking');
  });

  it('forgets a call that has gone and an alarm that was settled', () => {
    expect(reduce(start, { type: 'call_gone', id: 'call_1' }).calls).toEqual([]);
    const alarm = { id: 'alm_1', level: 'critical' as const, text: 'x', at: 1, dismissible: true };
    const state = reduce(start, { type: 'alarm', alarm });
    expect(state.alarms).toHaveLength(1);
    expect(reduce(state, { type: 'alarm_gone', id: 'alm_1' }).alarms).toEqual([]);
  });

  it('does not take another seat for ours', () => {
    const other = { ...hello.seat, user: { id: 'usr_lee', name: 'Lee' }, state: 'talking' as const };
    expect(reduce(start, { type: 'seat', seat: other }).seat?.state).toBe('ready');
  });

  it('shows our own calls, oldest first, and not those that left us', () => {
    let state = start;
    state = reduce(state, { type: 'call', call: call('call_0', { started_at: 0 }) });
    state = reduce(state, { type: 'call', call: call('call_x', { seat: 'usr_lee' }) });
    state = reduce(state, { type: 'call', call: call('call_q', { seat: null, state: 'queued' }) });
    state = reduce(state, { type: 'call', call: call('call_p', { state: 'patched', seat: null }) });
    expect(myCalls(state).map((c) => c.id)).toEqual(['call_0', 'call_1']);
  });

  it('puts what needs an operator first and lets closed dispatches go', () => {
    const list = [
      dispatch('routine', { urgency: 'routine', opened_at: 0 }),
      dispatch('new', { opened_at: 5 }),
      dispatch('old', { opened_at: 2 }),
      dispatch('stuck', { opened_at: 9, needs_operator: true }),
      dispatch('done', { closed_at: 90_000 }),
      dispatch('long gone', { closed_at: 10 }),
    ];
    expect(watched(list, 100_000).map((d) => d.id)).toEqual(['stuck', 'old', 'new', 'routine', 'done']);
  });

  it('comes back soon at first and never later than a few seconds', () => {
    expect(retryDelay(0, 0.5)).toBe(300);
    expect(retryDelay(3, 0.5)).toBe(2400);
    expect(retryDelay(50, 1)).toBe(6500);
  });
});

describe('figures of the line', () => {
  const figures = (call: string, who: 'caller' | 'contact', loss: number): FeedState['quality'][number] => ({ call, who, loss, jitter_ms: 3, round_trip_ms: 40 });

  it('keeps the last of each party and forgets those of a call that is gone', () => {
    let state = reduce(start, { type: 'quality', quality: figures('call_1', 'caller', 1) });
    state = reduce(state, { type: 'quality', quality: figures('call_1', 'contact', 2) });
    state = reduce(state, { type: 'quality', quality: figures('call_2', 'caller', 3) });
    state = reduce(state, { type: 'quality', quality: figures('call_1', 'caller', 4) });
    expect(state.quality.map((q) => [q.call, q.who, q.loss])).toEqual([
      ['call_1', 'contact', 2],
      ['call_2', 'caller', 3],
      ['call_1', 'caller', 4],
    ]);
    state = reduce(state, { type: 'call_gone', id: 'call_1' });
    expect(state.quality).toHaveLength(1);
  });
});

describe('several callers', () => {
  const seat = (id: string, name: string, state: SeatView['state']): SeatView => ({ user: { id, name }, state, reason: null, since: 1, calls: [] });
  const parked = (id: string, since: number, slot: number | null) =>
    call(id, { state: 'parked', seat: null, parked: { slot, by: 'usr_max', since, remind_at: since + 60, return_at: since + 180 } });

  it('shows the caller parked longest first, and none who is on the way to an operator', () => {
    const state = { ...EMPTY, calls: [parked('call_2', 20, 1), parked('call_1', 10, 2), parked('call_3', 5, null), call('call_4')] };
    expect(parkedCalls(state).map((c) => c.id)).toEqual(['call_1', 'call_2']);
  });

  it('offers the first who waits and is offered to nobody', () => {
    const waits = (id: string) => ({ call: id, account, since: 7, priority: 0 });
    const queue = { waiting: [waits('call_1'), waits('call_2')], ready: 0, talking: 1 };
    const calls = [call('call_1', { state: 'offered', seat: 'usr_lee' }), call('call_2', { state: 'queued', seat: null })];
    expect(firstWaiting({ ...EMPTY, queue, calls })?.call.id).toBe('call_2');
  });

  it('brings the call to whoever is asked about it', () => {
    const user = { id: 'usr_kim', login: 'kim', name: 'Kim', role: 'operator' as const };
    const asked = call('call_1', { state: 'consulting', seat: 'usr_lee', colleague: { user: 'usr_kim', there: true, since: 1 } });
    expect(myCalls({ ...EMPTY, user, calls: [asked, call('call_2', { seat: 'usr_lee' })] })).toEqual([asked]);
  });

  it('knows who is ready beside us, by name', () => {
    const user = { id: 'usr_kim', login: 'kim', name: 'Kim', role: 'operator' as const };
    let state: FeedState = { ...EMPTY, user, seats: [seat('usr_max', 'Max', 'talking'), seat('usr_kim', 'Kim', 'ready')] };
    state = reduce(state, { type: 'seat', seat: seat('usr_lee', 'Lee', 'ready') });
    state = reduce(state, { type: 'seat', seat: seat('usr_max', 'Max', 'ready') });
    expect(readyColleagues(state).map((s) => s.user.name)).toEqual(['Lee', 'Max']);
    expect(state.seat).toBeNull();
    expect(withSeats(state.seats, [seat('usr_max', 'Max', 'offline')]).filter((s) => s.user.id === 'usr_max').length).toBe(1);
  });
});
