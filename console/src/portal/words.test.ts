import { expect, test } from 'vitest';
import type { GoingLivePart } from '../lib/clients';
import type { NightLine, Use } from './types';
import { accountWords, approvalWords, becameOf, besides, dial, explain, headlineOf, isPin, kindWords, nightGroups, nightWords, passwordFault, readCode, usesOf, verifyWays } from './words';

const line = (at: number, state: string, needs_operator = false): NightLine => ({ at, message: `msg_${at}`, text: `${at}`, state, needs_operator });

test('what is open stands apart from what waits as agreed and what is over', () => {
  const { open, held, done } = nightGroups([line(4, 'confirmed'), line(3, 'running'), line(2, 'held_recap'), line(1, 'exhausted_unconfirmed', true)]);
  expect(open.map((l) => l.at)).toEqual([1, 3]);
  expect(held.map((l) => l.at)).toEqual([2]);
  expect(done.map((l) => l.at)).toEqual([4]);
});

test('what needs an operator is never called waiting', () => {
  expect(nightGroups([line(1, 'held_for_check_in', true)]).held).toEqual([]);
});

test('what is under way stands once, above the night', () => {
  expect(besides([line(1, 'running'), line(2, 'confirmed')], [line(1, 'running'), line(-9, 'running')]).map((l) => l.at)).toEqual([2]);
});

test('the night in a sentence', () => {
  expect(nightWords([])).toBe('Nobody had to be told of anything.');
  expect(nightWords([line(1, 'confirmed')])).toBe('1 message, nothing is open.');
  expect(nightWords([line(1, 'running'), line(2, 'held_for_recap')])).toBe('2 messages, 1 waiting for the recap or your check-in, 1 still open.');
});

test('an account says what is still to be approved and what has changed since', () => {
  expect(accountWords({ state: 'in_service', missing: [], changed: [] })).toBe('');
  expect(accountWords({ state: 'in_service', missing: [], changed: ['contacts'] })).toBe('Changed since it was approved: whom we reach and how.');
  const draft = accountWords({ state: 'draft', missing: ['scripts', 'contacts', 'escalation'], changed: [] });
  expect(draft).toContain('draft');
  expect(draft).toContain('what callers hear and are asked, whom we reach and how and what happens with a message.');
});

test('an approval has a name, a time and a version', () => {
  const approved = { name: 'Ada Moss', by: { id: 'usr_1', name: 'Ada Moss' }, at: 1, version: '0123456789abcdef', lines: [] };
  const part = (state: GoingLivePart['state'], change = {}): GoingLivePart => ({ part: 'scripts', state, version: 'x', lines: [], lacks: null, approved: { ...approved, ...change } });
  expect(approvalWords(part('approved'), () => 'Mon 14:02')).toBe('Approved by Ada Moss Mon 14:02, version 01234567.');
  expect(approvalWords(part('changed', { by: { id: 'usr_2', name: 'Sam' } }), () => 'Mon 14:02')).toBe('Changed since it was approved by Ada Moss Mon 14:02, version 01234567 (put down by Sam).');
  expect(approvalWords({ ...part('open'), approved: null }, () => '')).toBe('Not approved yet.');
});

test('a refusal says what to do', () => {
  expect(explain({ status: 0, code: 'offline', message: 'x' }).cure).toContain('connection');
  // The server's own sentence says whom to ask.
  expect(explain({ status: 403, code: 'portal.right', message: 'Not yours: ask them.' })).toEqual({ words: 'Not yours: ask them.', cure: '' });
  expect(explain({ status: 503, code: 'unknown', message: 'Busy.' }).cure).toContain('call your answering service');
  expect(explain(undefined).words).not.toBe('');
});

test('a protected message has no headline in a list', () => {
  const message = { protected: true, headline: 'should never come', call_type: { id: 'ct', name: 'Patient' } };
  expect(headlineOf(message)).not.toContain('never');
  expect(headlineOf({ ...message, protected: false, headline: null })).toBe('Patient');
});

test('each use is said once, and those of a destination apart', () => {
  const use = (text: string, destination: string | null): Use => ({ kind: 'protocol', text, destination });
  const uses = [use('Step 1.', 'mobile'), use('Step 1.', 'mobile'), use('The recap.', 'email')];
  expect(usesOf(uses)).toEqual(['Step 1.', 'The recap.']);
  expect(usesOf(uses, 'email')).toEqual(['The recap.']);
});

test('codes and PINs as people type them', () => {
  expect(readCode('123 456')).toBe('123456');
  expect(readCode('12345')).toBeNull();
  expect(isPin('4711')).toBe(true);
  expect(isPin('47a1')).toBe(false);
  expect(isPin('471')).toBe(false);
});

test('a telephone is verified by text or call, a pager by neither', () => {
  expect(verifyWays('phone')).toEqual(['text', 'call']);
  expect(verifyWays('email')).toEqual(['email']);
  expect(verifyWays('pager')).toEqual([]);
});

test('only a whole number rings when it is touched', () => {
  expect(dial('+1 202 555 0190')).toBe('tel:+12025550190');
  expect(dial('5th St 12')).toBeNull();
});

test('a new password is sent once it is long enough and the same twice', () => {
  expect(passwordFault('seven green kettles', 'seven green kettles')).toBe('');
  expect(passwordFault('seven green kettles', 'seven green kettle')).toContain('not the same');
  expect(passwordFault('short', 'short')).toContain('8 characters');
});

test('an open message says what comes next once, and why somebody once', () => {
  const next = 'If no reply by 05:29:22 EST: call the technician on call (mobile).';
  const line = (kind: string, text: string, why: string | null = null) => ({ at: 0, kind, text, who: null, why });
  const dispatch = { state: 'running', words: next, confirmed_by: null, closed_at: null, needs_operator: false };
  const step = line('step', 'Step 1: text Ben Ortiz (Ben Ortiz: technician on call by rotation).', 'Ben Ortiz: technician on call by rotation');
  const sent = line('accepted', 'Text sent to Ben Ortiz, accepted.');
  const became = becameOf({ dispatch, next: { at: 1, text: next }, timeline: [step, sent, line('waiting', next)] });
  expect(became).toEqual({ stands: 'Under way.', next, lines: [{ ...step, why: null }, sent] });
  // A wait that is over stays, and so does a reason that stands nowhere else.
  const over = [line('waiting', 'If no reply by 05:14:22 EST: step 2.'), line('step', 'Step 2: call Ben Ortiz.', 'fallback')];
  expect(becameOf({ dispatch, next: { at: 1, text: next }, timeline: over }).lines).toEqual(over);
  expect(becameOf({ dispatch: null, next: null, timeline: [] }).stands).toContain('nobody had to be told');
  expect(becameOf({ dispatch: { ...dispatch, words: 'An operator sees to it' }, next: { at: 1, text: next }, timeline: [] }).stands).toBe('An operator sees to it');
});

test('a call type that is called like its urgency is said once', () => {
  expect([kindWords('urgent', 'Urgent'), kindWords('urgent', 'Burst pipe'), kindWords('routine', 'urgent')]).toEqual(['Urgent', 'Urgent · Burst pipe', 'Routine · urgent']);
});
