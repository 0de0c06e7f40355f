import { describe, expect, it } from 'vitest';
import { KINDS, begun, choseWords, goneRows, isBetweenTries, kindWords, knownWords, triesWords, whereWords } from './abandoned';
import { clock } from './time';
import type { AbandonedView, TriesView } from './types';

const item = (answers?: Record<string, string>): AbandonedView => ({
  call: 'call_1',
  account: { id: 'acc_1', name: 'Imaginary Plumbing', color: '#123456', zone: 'America/New_York' },
  did: null,
  caller: '+12025550150',
  kind: 'form',
  started_at: 0,
  ended_at: 60_000,
  operator: null,
  ring_back: false,
  tries: null,
  draft: answers ? { id: 'drf_1', owner: { id: 'usr_1', name: 'Kim' }, call_type: null, answers } : null,
});

describe('a caller who hung up', () => {
  it('has each kind in words', () => {
    for (const kind of KINDS) expect(kindWords(kind)).not.toBe('');
    expect(kindWords(null)).toBe('promised a call');
    expect([KINDS.includes('no_operator'), kindWords('no_operator')]).toEqual([true, 'told nobody is free']);
  });

  it('who was being put through says to whom, and what they chose', () => {
    const lost = { ...item(), kind: 'put_through' as const, chosen: ['emergency', 'a leak'], rung: ['John Doe'], put_through: true };
    expect(`${whereWords(lost)}, ${choseWords(lost)}`).toBe('while being put through to John Doe, chose emergency, then a leak');
    expect(whereWords({ ...lost, rung: ['John Doe', 'Jane Doe'] })).toBe('while being put through to John Doe, then Jane Doe');
    expect(whereWords({ ...lost, rung: [] })).toBe('while being put through');
    expect(whereWords({ ...lost, kind: 'queue', put_through: false })).toBe('in the queue, after John Doe did not take the call');
    expect([whereWords(item()), choseWords(item())]).toEqual(['form not finished', '']);
  });

  it('shows what was begun, and nothing where nothing was', () => {
    expect(begun(item({ name: 'Anna', phone: ' ', problem: 'Burst pipe', when: 'now', more: 'x' }))).toBe('Anna · Burst pipe · now');
    expect(begun(item())).toBe('');
  });

  it('is one line, whether rung back or not, below those who were promised it', () => {
    const tries = { made: 1, most: 3, next_at: 5, next: 'later' as const, reason: null };
    const back = (call: string) => ({ call, account: item().account, number: '+12025550151', since: 1, tries });
    const rows = goneRows([item()], [back('call_2'), back('call_1')]);
    expect(rows.map((row) => [row.call, row.kind, row.caller])).toEqual([
      ['call_2', null, '+12025550151'],
      ['call_1', 'form', '+12025550150'],
    ]);
    expect(rows[0]!.ring_back).toBe(true);
  });

  it('says how often they called today and what is known of them, where it is anything', () => {
    expect(knownWords({ calls_today: 3, earlier: 2 })).toBe('3rd call today · 2 messages before');
    expect(knownWords({ calls_today: 2, earlier: 0 })).toBe('2nd call today');
    expect(knownWords({ calls_today: 11, earlier: 1 })).toBe('11th call today · 1 message before');
    expect(knownWords({ calls_today: 1 })).toBe('');
  });

  it('keeps the form of whoever was promised a call', () => {
    const draft = item({ name: 'Anna' }).draft;
    const back = { call: 'call_2', account: item().account, number: '+12025550151', since: 1, tries: { made: 1, most: 3, next_at: 5, next: 'later' as const, reason: null }, draft, calls_today: 2, earlier: 1 };
    expect(goneRows([], [back])[0]).toMatchObject({ draft, calls_today: 2, earlier: 1 });
  });

  it('says when they are rung again, and how often in vain', () => {
    const now = Date.UTC(2026, 2, 7, 14, 0);
    const later = now + 300_000;
    const tries = (made: number, next_at: number | null, next: TriesView['next'] = 'later') => ({ made, most: 3, next_at, next, reason: null });
    expect(triesWords(tries(1, later), now)).toBe(`next try ${clock(later)}, 1 of 3 in vain`);
    expect(triesWords(tries(1, now - 1), now)).toBe('waits to be rung, 1 of 3 in vain');
    expect(triesWords(tries(0, now - 1), now)).toBe('waits to be rung');
    expect(triesWords(tries(1, null, 'when_free'), now)).toBe('waits to be rung, 1 of 3 in vain');
    expect(triesWords(tries(1, null, 'now'), now)).toBe('is being rung, 1 of 3 in vain');
    expect(triesWords(tries(3, null, 'never'), now)).toBe('rung 3× in vain, not rung again');
    expect(triesWords(null, now)).toBe('');
    expect([isBetweenTries(tries(1, later), now), isBetweenTries(tries(1, now), now), isBetweenTries(tries(1, null, 'never'), now)]).toEqual([true, false, false]);
  });
});
