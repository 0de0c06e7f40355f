import { expect, test } from 'vitest';
import type { Step } from '../lib/types';
import { choicesFor, proposalOf, targetWords, waitWords, withWay } from './change';
import { holidayOf, inOrder, nextOf, rowOf } from './holidays';
import { editOf, goneWays, newWay, unverifiedBy } from './people';
import type { PortalContact, PortalHoliday, StepPerson } from './types';

const BEN: PortalContact = {
  id: 'con_ben',
  name: 'Ben Ortiz',
  title: 'technician',
  language: 'es',
  zone: null,
  spoken_as: null,
  pin_set_at: null,
  destinations: [
    { id: 'des_1', label: 'mobile', reach: { kind: 'phone', address: '+12025550111' }, ring_secs: 30, blocked: false, hours: [{ days: ['monday'], from: '08:00', until: '18:00' }], verified: { at: 1, by: 'text' } },
    { id: 'des_2', label: 'email', reach: { kind: 'email', address: 'ben@example.com' }, ring_secs: 30, blocked: false, hours: [], verified: null },
  ],
};
const PEOPLE: StepPerson[] = [{ id: 'con_ben', name: 'Ben Ortiz', destinations: [{ label: 'mobile', kind: 'phone' }, { label: 'email', kind: 'email' }] }];

test('a person is sent back with the ids of their ways, so that each stays the same one', () => {
  const edit = editOf(BEN);
  expect(edit.destinations.map((d) => d.id)).toEqual(['des_1', 'des_2']);
  edit.destinations[0]!.reach.address = '+12025550199';
  expect(BEN.destinations[0]!.reach.address).toBe('+12025550111');
  expect(unverifiedBy(BEN, edit)).toEqual(['mobile']);
  // What is not on the page is sent back as it was: hours that were not shown would be gone.
  expect([edit.language, edit.destinations[0]!.hours]).toEqual(['es', BEN.destinations[0]!.hours]);
  expect(goneWays(BEN, { ...edit, destinations: edit.destinations.slice(1) })).toEqual([{ id: 'des_1', label: 'mobile' }]);
});

test('what was not verified needs no word when it changes', () => {
  const edit = editOf(BEN);
  edit.destinations[1]!.reach.address = 'other@example.com';
  expect(unverifiedBy(BEN, edit)).toEqual([]);
});

test('another way has a name that is not taken', () => {
  expect(newWay(editOf(BEN).destinations).label).toBe('office');
  expect(editOf(null).destinations).toHaveLength(1);
});

test('a day of every year is shown as the next one, leap days too', () => {
  expect(nextOf('12-25', '2026-12-26')).toBe('2027-12-25');
  expect(nextOf('12-25', '2026-12-25')).toBe('2026-12-25');
  expect(nextOf('02-29', '2026-03-01')).toBe('2028-02-29');
});

test('a holiday comes back as it went, with the way of its calls and its recording', () => {
  const holidays: PortalHoliday[] = [
    { name: 'Christmas', date: '12-25', span: null, greeting: { kind: 'uploaded', recording: 'rec_1' }, like: 'Closed' },
    { name: 'Staff day', date: '2026-11-30', span: { from: '08:00', until: '12:00' }, greeting: { kind: 'spoken', text: 'We train.' }, like: null },
  ];
  for (const holiday of holidays) expect(holidayOf(rowOf(holiday, '2026-11-27'))).toEqual(holiday);
});

test('words put in place of a recording are what callers hear', () => {
  const row = rowOf({ name: 'Christmas', date: '12-25', span: null, greeting: { kind: 'uploaded', recording: 'rec_1' }, like: null }, '2026-11-27');
  expect(holidayOf({ ...row, greeting: ' Merry Christmas. ' }).greeting).toEqual({ kind: 'spoken', text: 'Merry Christmas.' });
});

test('the next holiday stands first and what is over last, and each knows its place in the list', () => {
  const of = (name: string, date: string): PortalHoliday => ({ name, date, span: null, greeting: null, like: null });
  const shown = inOrder([of('over', '2026-01-02'), of('Christmas', '12-25'), of('soon', '2026-11-30')], '2026-11-27');
  expect(shown.map((s) => [s.holiday.name, s.at, s.over])).toEqual([['soon', 2, false], ['Christmas', 1, false], ['over', 0, true]]);
});

const STEP: Step = {
  method: { kind: 'text_confirm' },
  to: [{ kind: 'contact', contact: 'con_ben', destination: 'mobile' }],
  wait_secs: 600,
  only: { windows: ['Closed'] },
};

test('whom a step can reach goes by its way, and nobody twice', () => {
  expect(choicesFor(STEP, PEOPLE, ['technician']).map((c) => c.label)).toEqual(['technician on call, mobile']);
  expect(choicesFor({ ...STEP, to: [] }, PEOPLE, []).map((c) => c.label)).toEqual(['Ben Ortiz, mobile']);
});

test('another way to the same kind of address keeps whom it reaches, and what only the service sets', () => {
  const call = withWay(STEP, 'call');
  expect(call.to).toEqual(STEP.to);
  expect(call.only).toEqual(STEP.only);
  expect(withWay(STEP, 'email').to).toEqual([]);
  expect(withWay(STEP, 'hold_for_recap')).toMatchObject({ to: [], wait_secs: 0 });
  expect(STEP.method).toEqual({ kind: 'text_confirm' });
});

test('a proposal begins as what is in force, and is a copy', () => {
  const item = { id: 'pro_1', name: 'Urgent', version: 2, steps: [STEP], repeat: null, until: 'confirmed' as const, text: [], call_types: [{ id: 'ct_1', name: 'Leak' }] };
  const proposal = proposalOf(item);
  expect(proposal).toEqual({ name: 'Urgent', steps: [STEP], repeat: null, until: 'confirmed', call_types: ['ct_1'] });
  proposal.steps[0]!.wait_secs = 60;
  expect(STEP.wait_secs).toBe(600);
});

test('people and waits in words', () => {
  expect(targetWords(STEP.to[0]!, PEOPLE)).toBe('Ben Ortiz, mobile');
  expect(targetWords(STEP.to[0]!, [])).toBe('somebody who is gone, mobile');
  expect([0, 90, 600].map(waitWords)).toEqual(['not at all', '90 s', '10 min']);
});
