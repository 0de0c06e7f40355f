import { expect, test } from 'vitest';
import { addDays, civilOf, dateOf, dateWords, daysBetween, momentOf, shortDay, spanOf } from './days';

const CHICAGO = 'America/Chicago';

test('a time on the clock of the account is a moment', () => {
  expect(momentOf('2026-03-07T08:00', CHICAGO)).toBe(Date.UTC(2026, 2, 7, 14, 0));
  expect(momentOf('2026-07-07T08:00', CHICAGO)).toBe(Date.UTC(2026, 6, 7, 13, 0));
  expect(momentOf('2026-07-07T08:00', 'UTC')).toBe(Date.UTC(2026, 6, 7, 8, 0));
});

test('a time that the change of clocks leaves out is an hour later, and of two the first is meant', () => {
  // 8 March 2026: 02:00 CST is 03:00 CDT.
  expect(civilOf(momentOf('2026-03-08T02:30', CHICAGO), CHICAGO)).toBe('2026-03-08T03:30');
  // 1 November 2026: 01:30 comes twice, first by CDT.
  expect(momentOf('2026-11-01T01:30', CHICAGO)).toBe(Date.UTC(2026, 10, 1, 6, 30));
});

test('a moment is a day of the account and not of the reader', () => {
  const at = Date.UTC(2026, 2, 7, 3, 0);
  expect(dateOf(at, CHICAGO)).toBe('2026-03-06');
  expect(dateOf(at, 'Asia/Tokyo')).toBe('2026-03-07');
});

test('both days that are written belong to what is found, even where one has 23 hours', () => {
  const { since, until } = spanOf('2026-03-08', '2026-03-08', CHICAGO);
  expect((until! - since!) / 3_600_000).toBe(23);
  expect(spanOf(undefined, undefined, CHICAGO)).toEqual({});
  expect(Object.keys(spanOf('2026-03-08', undefined, CHICAGO))).toEqual(['since']);
});

test('days are counted and said', () => {
  expect(addDays('2026-02-27', 2)).toBe('2026-03-01');
  expect(daysBetween('2026-03-01', '2026-03-07')).toBe(7);
  expect(daysBetween('2026-03-07', '2026-03-01')).toBeLessThan(1);
  expect(dateWords('2026-03-07', '2026')).toBe('Saturday 7 March');
  expect(dateWords('2027-03-07', '2026')).toContain('2027');
  expect(dateWords('12-25')).toBe('25 December, every year');
  expect(shortDay('2026-03-07')).toBe('Sat 7');
});
