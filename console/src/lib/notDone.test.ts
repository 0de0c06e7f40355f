import { expect, test } from 'vitest';
import { Problem } from './api';
import { notDone } from './notDone';

test('an answer that was lost is not told as a change that was not made', () => {
  const words = notDone(new Problem(0, 'offline', 'The server cannot be reached.'));
  expect(words).toContain('It may have been changed');
  expect(words).not.toContain('Not changed');
});

test('a refusal is, with its first fault and its cure', () => {
  const problem = new Problem(409, 'schedule.changed_since', 'Somebody has changed this since.');
  expect(notDone(problem)).toBe('Not changed: Somebody has changed this since.');
  const faults = [{ pointer: '/add', code: 'x', detail: 'No mobile.', cure: 'Add one.' }];
  expect(notDone({ offline: false, faults, message: 'Refused.' })).toBe('Not changed: No mobile. Add one.');
});
