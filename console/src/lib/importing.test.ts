import { expect, test } from 'vitest';
import { counted, dated, openFor, sayBoth, sayCancelled, sayDisplaced, sayOdd, sayOpen, sayRefused } from './importing';
import type { OddDate, Person, Span } from './schedule';

const ZONE = 'America/Chicago';
const at = (text: string) => Date.parse(`${text}:00-06:00`);
const PEOPLE: Person[] = [{ id: 'con_ben', name: 'Ben Ortiz', title: '' }];
const open = (people: string[], source: Span['source'], why = ''): Span => ({
  people,
  from: at('2026-12-04T08:00'),
  until: at('2026-12-12T08:00'),
  why,
  source,
  starts: true,
  ends: true,
});

test('one is one and more are more', () => {
  expect([counted(1, 'shift'), counted(0, 'shift'), counted(2, 'day')]).toEqual(['1 shift', '0 shifts', '2 days']);
});

test('a date is said with its year, in the zone of the schedule', () => {
  expect(dated(at('2026-12-31T23:30'), ZONE)).toBe('Thu 31 Dec 2026 23:30');
});

test('what is displaced is said from when until when, and what of it falls to whom', () => {
  const displaced = { from: at('2026-12-01T08:00'), until: at('2026-12-13T08:00'), open: [open(['con_ben'], { kind: 'fallback' }), open([], { kind: 'nobody' })], both: [], odd: [] };
  expect(sayDisplaced(displaced, true, ZONE)).toBe(
    'From Tue 1 Dec 2026 08:00 until Sun 13 Dec 2026 08:00 (12 days) this file alone says who is on call: the rotation and all other layers do not count then.',
  );
  expect(sayDisplaced(displaced, false, ZONE)).toContain('there is no rotation beneath it.');
  expect(displaced.open.map((span) => sayOpen(span, PEOPLE, ZONE))).toEqual([
    'Fri 4 Dec 2026 08:00 to Sat 12 Dec 2026 08:00 (8 days): Ben Ortiz, who stands in (the fallback)',
    'Fri 4 Dec 2026 08:00 to Sat 12 Dec 2026 08:00 (8 days): nobody',
  ]);
  expect(sayOpen(open(['con_ben'], { kind: 'override', ids: ['o'] }, 'override by Kim, 17:02'), PEOPLE, ZONE)).toContain(': Ben Ortiz (override by Kim, 17:02)');
  expect(openFor(displaced)).toBe('16 days');
});

test('a date that may be a slip is asked about by its line', () => {
  const odd = (lines: number[], kind: OddDate['kind']): OddDate => ({ lines, kind, days: 91, from: at('2027-03-14T08:00'), until: at('2027-03-15T08:00') });
  expect(sayOdd(odd([6], 'apart'), ZONE)).toMatch(/^Line 6 \(Sun 14 Mar 2027 .*\) lies 91 days away from the rest\. Is its date right\?$/);
  expect(sayOdd(odd([2, 6], 'apart'), ZONE)).toMatch(/^Lines 2 and 6 .* lie 91 days away from the rest\. Are their dates right\?$/);
  expect(sayOdd(odd([1, 2, 3, 4, 5, 6, 7], 'apart'), ZONE)).toMatch(/^Lines 1, 2, 3, 4, 5 and 2 more /);
  expect(sayOdd(odd([3], 'long'), ZONE)).toMatch(/^Line 3 lasts 91 days, from .*\. Is its end right\?$/);
});

test('what was cancelled is said, and not asked to be corrected', () => {
  const one = { line: 40, text: 'Ann', from: at('2026-12-04T08:00') };
  expect(sayCancelled([one], ZONE)).toBe('1 event was cancelled in that calendar and is no shift: line 40 “Ann”, Fri 4 Dec 2026 08:00.');
  expect(sayCancelled(Array.from({ length: 7 }, () => ({ ...one, from: null })), ZONE)).toMatch(/^7 events were cancelled .* “Ann” and 2 more\.$/);
});

test('why a file cannot be imported is said once, whichever of its parts it is said of', () => {
  const long = { detail: 'This is longer than a year.', cure: 'Make it of several parts.' };
  expect(sayRefused([long, { detail: 'Office has no mobile.', cure: 'Add it first.' }, long])).toEqual([
    'It cannot be imported like this: This is longer than a year. Make it of several parts.',
    'It cannot be imported like this: Office has no mobile. Add it first.',
  ]);
});

test('two who are on call at once are said with their lines, from when until when', () => {
  const both = { from: at('2026-12-04T00:00'), until: at('2026-12-04T09:00'), one: { name: 'Ben Ortiz', line: 4 }, other: { name: 'Maya Lindqvist', line: 9 } };
  expect(sayBoth(both, ZONE)).toBe('Ben Ortiz (line 4) and Maya Lindqvist (line 9), Fri 4 Dec 2026 00:00 to Fri 4 Dec 2026 09:00 (9 h)');
});
