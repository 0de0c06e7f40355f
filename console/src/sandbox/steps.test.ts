import { expect, test } from 'vitest';
import { askedReply, byCompany, elapsed, gather, progress, readable } from './steps';
import type { PhoneView, SandboxState } from './types';

const phone = (change: Partial<PhoneView> = {}): PhoneView => ({
  number: '+12025550110', name: 'Ben', title: '', mode: 'normal', state: 'idle',
  with: null, since: null, last: null, handset: null, texts: [], ...change,
});
const state = (caller: PhoneView, ...phones: PhoneView[]): SandboxState => ({
  now: 0, caller, phones, mailboxes: [], numbers: [], logins: [],
});
const text = { at: 1, with: '+12025550102', body: 'Reply 1ok', mine: false, failed: false };

test('the tour begins at the desk and moves on by what is seen', () => {
  expect(progress({}).next).toBe('sign-in');
  let seen = gather({}, state(phone({ state: 'talking' })), true);
  expect(progress(seen).next).toBe('take');
  expect(progress({ ...seen, rang: true }).done.has('read')).toBe(false);
  seen = gather(seen, state(phone(), phone({ texts: [text] })), false);
  expect(progress(seen).next).toBe('read');
  seen = gather(seen, state(phone(), phone({ texts: [text, { ...text, mine: true }] })), false);
  expect(progress(seen).next).toBe('again');
  seen = gather(seen, state(phone({ state: 'talking' }), phone({ state: 'talking' })), false);
  expect(progress(seen).next).toBe('join');
  seen = gather(seen, state(phone(), phone()), false);
  expect(progress(seen).next).toBeNull();
});

test('a reply that went nowhere is none, and what was seen stays seen', () => {
  const seen = gather({ texted: true }, state(phone(), phone({ texts: [{ ...text, mine: true, failed: true }] })), false);
  expect(seen.replied).toBeUndefined();
  expect(seen.texted).toBe(true);
});

test('numbers, times and the reply asked for are read as people read them', () => {
  expect(readable('+12025550110')).toBe('202 555 0110');
  expect(readable(null)).toBe('unknown number');
  expect(elapsed(83_000)).toBe('1:23');
  expect(askedReply('Burst pipe at 5 Elm. Reply 12ok to confirm.')).toBe('12ok');
  expect(askedReply('ok then')).toBeNull();
});

test('phones stand under their companies', () => {
  const ben = phone({ title: 'Plumbing · technician, mobile' });
  const companies = byCompany([ben, phone({ title: 'Clinic · doctor' }), phone({ title: 'Plumbing · office' }), phone({ title: 'mobile' })]);
  expect(companies.map((c) => [c.name, c.phones.map((p) => p.title)])).toEqual([
    ['Plumbing', ['technician, mobile', 'office']],
    ['Clinic', ['doctor']],
    ['Others', ['mobile']],
  ]);
});
