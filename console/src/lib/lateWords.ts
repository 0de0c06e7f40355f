// The last words of a form that went along with its call: typed elsewhere, and on their way while it changed hands.

import type { Answers } from './types';

/** When a form that has come is read once more: the words of whoever had it come within a moment, or a little later over a bad line. */
export const LATE_READS_MS = [400, 1_200, 3_000, 8_000] as const;

/** What has come since, by field; only where nothing was typed here: her words are not written over. */
export function lateWords(before: Answers, server: Answers, here: Answers): Answers {
  const was = (answers: Answers, field: string) => answers[field] ?? '';
  return Object.fromEntries(Object.entries(server).filter(([field, words]) => words !== was(before, field) && was(here, field) === was(before, field)));
}

/** What was typed, in one line: to be copied from where its form is not. */
export function typedWords(answers: Answers): string {
  return Object.values(answers)
    .map((words) => words.trim())
    .filter((words) => words !== '')
    .join(' · ');
}
