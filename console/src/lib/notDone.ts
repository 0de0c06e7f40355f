// What is said where a change of a calendar has not come to a good answer. Pure.

import type { Problem } from './api';

/** An answer that was lost on the way says nothing of whether the change was made: what is read again then does. */
export function notDone(problem: Pick<Problem, 'offline' | 'faults' | 'message'>): string {
  if (problem.offline) return 'The server cannot be reached. It may have been changed: look at the calendar before you try again.';
  const first = problem.faults[0];
  return `Not changed: ${first ? `${first.detail} ${first.cure}` : problem.message}`;
}
