import { expect, test } from 'vitest';
import type { Schedule, Temporary } from './schedule';
import { cutOf, standing } from './temporary';

const at = (text: string) => Date.parse(`2026-${text}:00Z`);
const NOW = at('12-08T12:00') + 30_000;
const plan = (from: string, until: string): Temporary => ({ name: 'storm', from: at(from), until: at(until), shifts: [], by: 'Sam', made_at: 0 });
const PLAN = plan('12-07T08:00', '12-10T08:00');
const LATER = plan('12-20T08:00', '12-21T08:00');
const cut = (from: string, until: string, of = PLAN) => cutOf(of, { from: at(from), until: at(until) }, NOW, 'UTC');

test('those that are not over stand there, the next first', () => {
  const schedule = { temporary: [LATER, plan('12-01T08:00', '12-02T08:00'), PLAN] } as unknown as Schedule;
  expect(standing(schedule, NOW)).toEqual([PLAN, LATER]);
  expect(standing(null, NOW)).toEqual([]);
});

test('one that has begun ends now, what was stays', () => {
  expect(cut('12-07T08:00', '12-10T08:00')).toEqual({ from: at('12-08T12:00'), until: at('12-10T08:00'), words: 'Temporary schedule “storm” ended at Tue 12:00' });
});

test('one that has not begun goes whole, begins later or ends earlier', () => {
  expect(cut('12-20T08:00', '12-21T08:00', LATER)).toMatchObject({ words: 'Temporary schedule “storm” taken out, Sun 20 Dec 08:00 to Mon 21 Dec 08:00' });
  expect(cut('12-19T08:00', '12-20T20:00', LATER)).toEqual({ from: at('12-20T08:00'), until: at('12-20T20:00'), words: 'Temporary schedule “storm” begins at Sun 20 Dec 20:00' });
});

test('a time is taken out of its middle', () => {
  expect(cut('12-09T08:00', '12-09T20:00')).toMatchObject({ words: 'Temporary schedule “storm” without Wed 08:00 to Wed 20:00' });
});

test('what is past or outside is refused', () => {
  expect(cut('12-07T08:00', '12-08T08:00')).toEqual({ refused: 'What is past cannot be changed.' });
  expect(cut('12-11T08:00', '12-12T08:00')).toEqual({ refused: '“storm” is not in force then.' });
  expect(cut('12-09T08:00', '12-09T08:00')).toEqual({ refused: 'A time ends after it begins.' });
});
