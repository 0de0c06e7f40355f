import { describe, expect, it } from 'vitest';
import type { Field, Step } from './types';
import { afterWords, authorWords, byTrade, canBringBack, endWords, lineClock, lookedAt, ofProtocol, playerKey, playersFrom, usualTime, type OutlookLine, type Template, type VersionView } from './protocols';

const version = (n: number, more: Partial<VersionView> = {}): VersionView => ({
  id: `pro_${n}`, name: 'Urgent', version: n, made_at: 0, made_by: null, brings_back: null, changes: null, in_force: [], running: [], text: [], ...more,
});
const line = (local: string): OutlookLine => ({ at: 0, local, after_secs: 0, kind: 'step', text: '', who: null, step: 1, round: 1, why: [] });

describe('the time that is asked about', () => {
  it('is the coming Saturday at two, by the calendar of the account', () => {
    // Thursday, 26 November 2026, 20:00 UTC.
    expect(usualTime(Date.UTC(2026, 10, 26, 20), 'America/New_York')).toBe('2026-11-28T02:00');
    // Saturday in Auckland already, Friday in New York.
    const late = Date.UTC(2026, 10, 27, 20);
    expect(usualTime(late, 'Pacific/Auckland')).toBe('2026-12-05T02:00');
    expect(usualTime(late, 'America/New_York')).toBe('2026-11-28T02:00');
  });

  it('is some Saturday where the browser does not know the zone', () => {
    expect(usualTime(Date.UTC(2026, 10, 26, 12), 'Mars/Olympus')).toBe('2026-11-28T02:00');
  });
});

describe('lines', () => {
  it('say how long after the message was saved they are', () => {
    // `cordboard simulate` says the same: src/cli/simulate.rs.
    expect([0, 930, 4_020, 7_500].map(afterWords)).toEqual(['+0:00', '+15:30', '+1:07:00', '+2:05:00']);
  });

  it('name the day only where another begins', () => {
    expect(lineClock(line('2026-03-07 02:00:00'), undefined)).toBe('02:00:00');
    expect(lineClock(line('2026-03-07 02:15:00'), line('2026-03-07 02:00:00'))).toBe('02:15:00');
    expect(lineClock(line('2026-03-08 00:01:00'), line('2026-03-07 23:59:00'))).toBe('2026-03-08 00:01:00');
  });

  it('end in words', () => {
    const outlook = { cut: false, lines: [], state: 'running', needs_operator: true, next: null };
    expect(endWords(outlook, 2)).toBe('After 2 h: still going on; an operator is needed.');
    expect(endWords({ ...outlook, cut: true }, 2)).toContain('no more was looked at; then: still going on');
    expect(endWords({ ...outlook, state: 'something_new', needs_operator: false }, 1)).toBe('After 1 h: something new.');
  });
});

it('faults of the protocol are told at its own places, those of the question are not', () => {
  const fault = (pointer: string) => ({ pointer, code: 'x', detail: 'd', cure: 'c' });
  expect(ofProtocol([fault('/protocol/steps/1'), fault('/at')]).map((f) => f.pointer)).toEqual(['/steps/1']);
});

it('answers are asked for only where some step looks at them', () => {
  const field = (name: string, kind: Field['kind']): Field => ({ name, label: name, kind, required: false, brief: false });
  const fields = [field('name', { kind: 'text' }), field('water', { kind: 'yes_no' }), field('what', { kind: 'choice', options: ['Leak', 'Drain'] })];
  const step = (only?: Step['only']): Step => ({ method: { kind: 'email' }, to: [], wait_secs: 0, only });
  expect(lookedAt([step()], fields)).toEqual([]);
  const found = lookedAt([step({ answers: [{ field: 'what', is: ['Leak'] }] }), step({ answers: [{ field: 'water' }] })], fields);
  expect(found.map((f) => f.name)).toEqual(['water', 'what']);
});

it('templates stand by trade', () => {
  const template = (key: string, trade: string): Template => ({ key, trade, name: '', says: '', urgency: 'urgent', parts: [], text: [] });
  const found = byTrade([template('a', 'Law'), template('b', 'Dental'), template('c', 'Law')]);
  expect(found.map(([trade, of]) => [trade, of.map((t) => t.key)])).toEqual([['Law', ['a', 'c']], ['Dental', ['b']]]);
});

it('a player is chosen by a key, also a role of several words', () => {
  for (const player of [{ kind: 'on_call', role: 'night nurse' }, { kind: 'contact', contact: 'con_1' }, null] as const) {
    expect(playersFrom(playerKey(player))).toEqual(player);
  }
});

it('a version says whose it is, and all but the newest can be brought back', () => {
  const all = [version(2, { made_by: { id: 'usr_kim', name: 'Kim' }, brings_back: 1 }), version(1), version(7, { name: 'Other' })];
  expect(all.map(authorWords)).toEqual(['by Kim, brings back version 1', 'from a file or the demo', 'from a file or the demo']);
  expect(all.map((v) => canBringBack(v, all))).toEqual([false, true, false]);
});
