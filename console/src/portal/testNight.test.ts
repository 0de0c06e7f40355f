import { expect, test } from 'vitest';
import type { Outlook, OutlookLine } from '../lib/protocols';
import { endOf, isSame, minutesOf, nextOn } from './testNight';

const line = (local: string, after_secs: number, kind: string, text: string): OutlookLine => ({ at: 0, local, after_secs, kind, text, who: null, step: 1, round: 1, why: kind === 'step' ? ['Ben: technician on call by rotation A'] : [] });
const night = (lines: OutlookLine[], rest: Partial<Outlook> = {}): Outlook => ({ cut: false, lines, state: 'running', needs_operator: false, next: null, ...rest });

test('a weekday is the next one, and today only while its time is to come', () => {
  // 5 March 2026 is a Thursday.
  expect(nextOn(6, '02:00', '2026-03-05T10:00')).toBe('2026-03-07T02:00');
  expect(nextOn(4, '10:01', '2026-03-05T10:00')).toBe('2026-03-05T10:01');
  expect(nextOn(4, '10:00', '2026-03-05T10:00')).toBe('2026-03-12T10:00');
  expect(nextOn(0, '08:00', '2026-12-30T10:00')).toBe('2027-01-03T08:00');
});

test('what happens in one minute stands together, and the next day says which it is', () => {
  const seen = minutesOf(
    night([
      line('2026-03-06 23:50:00', 0, 'opened', 'Dispatch opened.'),
      line('2026-03-06 23:50:00', 0, 'step', 'Step 1: text Ben.'),
      line('2026-03-06 23:50:00', 0, 'attempt', 'Text to Ben.'),
      line('2026-03-07 00:05:00', 900, 'step', 'Step 2: call Ben.'),
    ]),
  );
  expect(seen.map((m) => [m.clock, m.lines.map((l) => l.text)])).toEqual([
    ['23:50', ['Step 1: text Ben.', 'Text to Ben.']],
    ['Saturday 00:05', ['Step 2: call Ben.']],
  ]);
  expect(seen[0]!.lines[0]!.why).toEqual(['Ben: technician on call by rotation A']);
});

test('what is otherwise by the proposed one is marked, and one that changes nothing says so', () => {
  const live = night([line('2026-03-07 02:00:00', 0, 'step', 'Step 1: text Ben.'), line('2026-03-07 02:15:00', 900, 'step', 'Step 2: call Ben.')]);
  const proposed = night([line('2026-03-07 02:00:00', 0, 'step', 'Step 1: text Ben.'), line('2026-03-07 02:05:00', 300, 'step', 'Step 2: call Ben.')]);
  expect(minutesOf(proposed, live).flatMap((m) => m.lines.map((l) => l.otherwise))).toEqual([false, true]);
  expect(minutesOf(live).some((m) => m.lines.some((l) => l.otherwise))).toBe(false);
  expect([isSame(live, live), isSame(live, proposed)]).toEqual([true, false]);
});

test('the end is said in words', () => {
  expect(endOf(night([], { needs_operator: true }), 2)).toBe('After 2 hours nobody has it, and an operator is alarmed.');
  expect(endOf(night([], { state: 'confirmed' }), 2)).toBe('Somebody has confirmed: it is over.');
  expect(endOf(night([]), 1)).toBe('After an hour it goes on.');
});
