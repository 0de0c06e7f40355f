import { expect, test } from 'vitest';
import { changeWords, draftWords, lineDifferences, listWords, rightsWords, untriedWords, withRight, type ProtocolChange } from './clients';

test('recordings are of no use without messages', () => {
  expect(withRight([], 'recordings', true)).toEqual(['messages', 'recordings']);
  expect(withRight(['messages', 'recordings', 'contacts'], 'messages', false)).toEqual(['contacts']);
  expect(withRight(['contacts'], 'schedule', true)).toEqual(['schedule', 'contacts']);
});

test('rights in a line', () => {
  expect(rightsWords(['schedule', 'messages'])).toBe('messages and on call');
  expect(rightsWords([])).toBe('nothing but the state of the account');
});

test('words as a list', () => {
  expect(listWords([])).toBe('');
  expect(listWords(['a', 'b', 'c'])).toBe('a, b and c');
});

test('a draft says what is missing; what is approved says nothing', () => {
  expect(draftWords({ state: 'draft', missing: ['scripts', 'contacts'], changed: [] })).toBe('Draft: the client has not approved scripts and contacts yet.');
  expect(draftWords({ state: 'in_service', missing: [], changed: ['escalation'] })).toBe('Changed since the client approved: escalation.');
  expect(draftWords({ state: 'in_service', missing: [], changed: [] })).toBe('');
});

test('a change of one line is one line gone and one new, and the rest stays', () => {
  expect(lineDifferences(['1. Text Ben.', '2. Call Ben.', '3. Stop.'], ['1. Text Ben.', '2. Call Ada.', '3. Stop.'])).toEqual([
    { kind: 'same', text: '1. Text Ben.' },
    { kind: 'gone', text: '2. Call Ben.' },
    { kind: 'new', text: '2. Call Ada.' },
    { kind: 'same', text: '3. Stop.' },
  ]);
  expect(lineDifferences([], ['a'])).toEqual([{ kind: 'new', text: 'a' }]);
  expect(lineDifferences(['a'], [])).toEqual([{ kind: 'gone', text: 'a' }]);
});

test('what became of a proposal', () => {
  const change = { state: 'waiting', at: 1, decided: null } as ProtocolChange;
  const decided = { by: { id: 'usr_1', name: 'Sam' }, at: 2, words: 'Call us first.', version: null };
  expect(changeWords(change, (at) => `at ${at}`)).toBe('Waiting for the service since at 1.');
  expect(changeWords({ ...change, state: 'refused', decided }, (at) => `at ${at}`)).toBe('Not taken over by Sam at 2. “Call us first.”');
  const approved = { ...change, state: 'approved' as const, decided: { ...decided, words: '', version: 3 } };
  expect(changeWords({ ...approved, in_force: true }, (at) => `at ${at}`)).toBe('Approved by Sam at 2; in force as version 3.');
  expect(changeWords({ ...approved, in_force: false }, (at) => `at ${at}`)).toBe('Approved by Sam; was put in force as version 3 at 2.');
});

test('a way that nobody has verified says whose it is, and that urgent messages go there', () => {
  expect(untriedWords({ name: 'Dana Reyes', destination: 'mobile', urgent: true })).toBe('Dana Reyes: mobile, not verified yet. Urgent messages go there.');
  expect(untriedWords({ name: 'Dana Reyes', destination: 'email', urgent: false })).toBe('Dana Reyes: email, not verified yet.');
});
