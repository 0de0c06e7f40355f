import { expect, test } from 'vitest';
import { hoursWords, isOpen, languageName, languageNote, officeHours, withDay, type ReachWindow } from './reachHours';

const ZONE = 'America/New_York';
const at = (iso: string) => Date.parse(iso);

test('hours are read as people say them', () => {
  expect(hoursWords([officeHours()])).toBe('Mon–Fri 08:00–18:00');
  expect(hoursWords([{ days: ['monday', 'tuesday', 'friday'], from: '20:00', until: '08:00' }, { days: ['sunday'], from: '00:00', until: '00:00' }])).toBe('Mon, Tue, Fri 20:00–08:00, Sun all day');
  expect(hoursWords(undefined)).toBe('');
});

test('a destination is open within its hours on the clocks of its zone, over midnight too', () => {
  const office = [officeHours()];
  // Monday, 9 March 2026, the day after the clocks went forward.
  expect(isOpen(office, ZONE, at('2026-03-09T11:59:59Z'))).toBe(false);
  expect(isOpen(office, ZONE, at('2026-03-09T12:00:00Z'))).toBe(true);
  expect(isOpen(office, ZONE, at('2026-03-09T22:00:00Z'))).toBe(false);
  const nights: ReachWindow[] = [{ days: ['friday'], from: '20:00', until: '08:00' }];
  expect(isOpen(nights, ZONE, at('2026-03-07T07:00:00Z'))).toBe(true); // Saturday, 02:00
  expect(isOpen(nights, ZONE, at('2026-03-06T07:00:00Z'))).toBe(false); // Friday, 02:00
  expect(isOpen([], ZONE, 0)).toBe(true);
});

test('days stay in the order of the week', () => {
  expect(withDay({ days: ['sunday', 'monday'], from: '', until: '' }, 'wednesday', true).days).toEqual(['monday', 'wednesday', 'sunday']);
  expect(withDay(officeHours(), 'monday', false).days).toHaveLength(4);
});

test('a language has its name', () => {
  expect(languageName('es')).toBe('Spanish');
  expect(languageName('')).toBe('');
  expect(languageName('not a tag')).toBe('not a tag');
});

test('a language in which the machine speaks to nobody says so where it is chosen, and English says nothing', () => {
  expect(languageNote('es')).toBe('Operators see Spanish beside the name. Texts, emails and calls by machine are in English.');
  expect(languageNote('es-MX')).toContain('are in English');
  expect([languageNote('en'), languageNote('en-GB'), languageNote(null), languageNote(undefined)]).toEqual(['', '', '', '']);
  expect(languageNote('enm')).not.toBe('');
});
