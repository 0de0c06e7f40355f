import { expect, it } from 'vitest';
import { whomToReach } from './reach';
import type { Account } from './types';

const NOW = Date.UTC(2027, 2, 5, 12);
const person = (id: string, name: string) => ({
  id,
  name,
  title: '',
  destinations: [
    { id: `des_${id}`, label: 'mobile', reach: { kind: 'phone', address: '+12025550121' }, blocked: false },
    { id: `mail_${id}`, label: 'mail', reach: { kind: 'email', address: 'a@b.example' }, blocked: false },
  ],
});
const account = {
  id: 'acc_1',
  zone: 'UTC',
  contacts: [person('con_ann', 'Ann'), person('con_ben', 'Ben'), person('con_rosa', 'Rosa')],
  on_call: [{ role: 'technician', contact: { id: 'con_ben', name: 'Ben' }, until: NOW + 3_600_000 }],
} as unknown as Account;
const names = (asked: Parameters<typeof whomToReach>[1]) => whomToReach(account, asked, NOW, NOW).map((c) => c.name);

it('who was asked stands before who is on call, by the telephone that was asked', () => {
  expect(names([{ contact: { id: 'con_rosa', name: 'Rosa' }, destination: 'mobile' }])).toEqual(['Rosa', 'Ben', 'Ann']);
  expect(names([{ contact: { id: 'con_rosa', name: 'Rosa' }, destination: 'home' }])).toEqual(['Ben', 'Ann', 'Rosa']);
});

it('nobody is listed, for Enter to ring, before it is known who was asked', () => {
  expect(names(null)).toEqual([]);
  expect(names([])).toEqual(['Ben', 'Ann', 'Rosa']);
});
