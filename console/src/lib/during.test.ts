import { expect, test } from 'vitest';
import cases from '../../../tests/hours-cases.json';
import { isDuring } from './during';
import { shownFields } from './form';
import { isOpen } from './reachHours';
import type { Form, Weekday } from './types';

interface Case {
  zone: string;
  days: Weekday[];
  from: string;
  until: string;
  within: string[];
  outside: string[];
}

test('hours are what the server says, for destinations and fields of forms alike, in nights in which clocks change too', () => {
  expect(cases.length).toBeGreaterThan(8);
  for (const { zone, days, from, until, within, outside } of cases as Case[]) {
    const hours = { days, from, until };
    const form: Form = { version: 1, fields: [{ name: 'f', label: 'F', kind: { kind: 'text' }, hours }] };
    for (const [instants, expected] of [[within, true], [outside, false]] as const) {
      for (const text of instants) {
        const at = Date.parse(text);
        const said = [isDuring(hours, zone, at), isOpen([hours], zone, at), shownFields(form, {}, { at, zone, people: [] }).length === 1];
        expect(said, `${text} ${JSON.stringify(hours)} in ${zone}`).toEqual([expected, expected, expected]);
      }
    }
  }
});

test('hours that are no times are never', () => {
  expect(isDuring({ days: ['monday'], from: '8', until: '25:00' }, 'UTC', Date.parse('2026-06-01T12:00:00Z'))).toBe(false);
});
