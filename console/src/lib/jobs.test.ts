import { expect, test } from 'vitest';
import { likelyOutcome, outcomeOf, outcomes, OUTCOMES } from './jobs';
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
