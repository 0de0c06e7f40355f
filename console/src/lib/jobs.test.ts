import { expect, test } from 'vitest';
import { choiceOf, likelyOutcome, outcomeOf, outcomes, OUTCOMES } from './jobs';
import type { CallView, JobView } from './types';

const job = { leave_message: true } as JobView;
const call = (taken: boolean, cause?: string) => ({ taken, ended: cause ? { cause } : null }) as CallView;
const kinds = (j: JobView, c: CallView) => outcomes(j, c).map((o) => o.kind);

test('nobody can be told who was not reached', () => {
  expect(kinds(job, call(false, 'busy'))).toEqual(['no_answer', 'busy', 'wrong_number']);
  expect(kinds(job, call(true))).toHaveLength(OUTCOMES.length);
});

test('nothing is left where the account wants nothing left', () => {
  expect(kinds({ leave_message: false } as JobView, call(true))).not.toContain('left_on_voicemail');
});

test('the line says what most likely happened, and only until somebody answered', () => {
  expect(likelyOutcome(call(false, 'busy'))).toBe('busy');
  expect(likelyOutcome(call(false, 'no_answer'))).toBe('no_answer');
  expect(likelyOutcome(call(false, 'lost'))).toBeNull();
  expect(likelyOutcome(call(true, 'hung_up'))).toBeNull();
});

test('an outcome has a name where somebody was spoken with', () => {
  expect(outcomeOf(OUTCOMES[0]!, ' Dr Patel ')).toEqual({ kind: 'told', name: 'Dr Patel' });
  expect(outcomeOf(OUTCOMES[6]!, 'Dr Patel')).toEqual({ kind: 'busy' });
});

test('Enter on another button, a link or a field presses that and says no outcome', () => {
  const choices = outcomes(job, call(false, 'busy'));
  const body = { tagName: 'BODY' };
  expect(choiceOf('Enter', choices, 'busy', body)?.kind).toBe('busy');
  expect(choiceOf('Enter', choices, 'busy', null)?.kind).toBe('busy');
  for (const tagName of ['BUTTON', 'A', 'INPUT', 'SELECT', 'TEXTAREA', 'SUMMARY']) {
    expect(choiceOf('Enter', choices, 'busy', { tagName })).toBeUndefined();
    expect(choiceOf(choices[0]!.key, choices, 'busy', { tagName })).toBe(choices[0]);
  }
  expect(choiceOf('Enter', choices, null, body)).toBeUndefined();
});
