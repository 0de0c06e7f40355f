// A busy floor for looking at the supervisor's page: seats, calls in every stage, a patch left to itself, a day's figures.

import { CLINIC, PLUMBING, PROPERTY, ref } from './data.mjs';

export const SAM = { id: 'usr_sam', login: 'sam', name: 'Sam Whitaker', role: 'supervisor' };

const seat = (id, name, state, since, reason = null) => ({ user: { id, name }, state, reason, since, calls: [] });

const rows = (...pairs) => pairs.map(([who, ...hears]) => ({ who, hears }));
const TALK = rows(['caller', 'operator'], ['operator', 'caller']);
const HOLD = rows(['caller', 'music'], ['operator']);
const PRIVATE = rows(['caller', 'music'], ['operator', 'contact'], ['contact', 'operator']);
const TWO = rows(['caller', 'contact'], ['contact', 'caller']);

export function busyFloor(now) {
  const call = (id, account, more) => ({
    id,
    account: ref(account),
    account_brief: { answer_phrase: account.answer_phrase, notes: account.notes },
    did: account.dids[0],
    caller: '+12025550187',
    forwarded_from: null,
    state: 'talking',
    seat: null,
    started_at: now - 95_000,
    state_since: now - 61_000,
    offered_until: null,
    patch: null,
    hears: [],
    ended: null,
    recording: { mode: 'off', state: 'off' },
    earlier: 0,
    listeners: [],
    ...more,
  });
  const patch = (state, name) => ({ state, contact: { id: `con_${name}`, name }, number: '+12025550162', since: now - 30_000 });
  const calls = [
    call('call_f1', PLUMBING, { seat: 'usr_kim', hears: TALK }),
    call('call_f2', CLINIC, { seat: 'usr_lee', state: 'held', hears: HOLD, state_since: now - 52_000, caller: null }),
    call('call_f3', CLINIC, { seat: 'usr_ann', state: 'patching', patch: patch('private', 'Dr Patel'), hears: PRIVATE, state_since: now - 22_000 }),
    call('call_f4', PROPERTY, { state: 'patched', patch: patch('dropped', 'John Doe'), hears: TWO, started_at: now - 700_000, state_since: now - 512_000 }),
    call('call_w1', CLINIC, { state: 'queued', started_at: now - 27_000 }),
    call('call_w2', PLUMBING, { state: 'queued', started_at: now - 11_000 }),
  ];
  const seats = [
    seat('usr_kim', 'Kim Novak', 'talking', now - 61_000),
    seat('usr_lee', 'Lee Okafor', 'talking', now - 120_000),
    seat('usr_ann', 'Ann-Sophie Lindqvist', 'talking', now - 80_000),
    seat('usr_bob', 'Bob Hale', 'ready', now - 14_000),
    seat('usr_eva', 'Eva Stein', 'not_ready', now - 540_000, 'Meal'),
    seat('usr_tom', 'Tom Berg', 'wrap_up', now - 9_000),
    seat(SAM.id, SAM.name, 'not_ready', now - 3_000_000),
  ];
  const offered = [4, 2, 1, 0, 1, 3, 8, 14, 21, 19, 12];
  const hours = offered.map((n, i) => ({ offered: n, answered: n - (i % 3), lost: Math.min(n, i % 3) }));
  const service = {
    since: now - 11 * 3_600_000,
    offered: 85,
    answered: 75,
    in_time: 66,
    abandoned_in_greeting: 4,
    abandoned_put_through: 0,
    abandoned_in_queue: 5,
    abandoned_on_hold: 1,
    abandoned_parked: 0,
    abandoned_in_form: 2,
    waited: 81,
    no_operator: 1,
    cut_off: 0,
    longest_wait_ms: 134_000,
    mean_wait_ms: 13_400,
    mean_talk_ms: 96_000,
    service_level: 81,
    hours,
  };
  return { seats, calls, figures: { service, zone: 'America/New_York', accounts: [] }, answer_within_secs: 20 };
}

/** Who hears whom with a supervisor in the call, near enough for a picture. */
export function withSupervisor(hears, mode) {
  const parties = hears.filter((r) => r.who !== 'supervisor').map((r) => ({ ...r, hears: r.hears.filter((h) => h !== 'supervisor') }));
  const talks = (r) => r.hears.some((h) => ['caller', 'operator', 'contact'].includes(h));
  const told = (r) => (mode === 'whisper' ? r.who === 'operator' : mode === 'barge' && talks(r));
  const heard = ['caller', 'operator', 'contact'].filter((who) => parties.some((r) => r.hears.includes(who)));
  return [...parties.map((r) => (told(r) ? { ...r, hears: [...r.hears, 'supervisor'] } : r)), { who: 'supervisor', hears: heard }];
}
