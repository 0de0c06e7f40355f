// Urgency by the client's list, while the form is filled in. Mirrors the server's (domain/message/trigger), which decides.

import { isSensitive } from './form';
import type { Answers, CallType, Form, Grading, Trigger } from './types';

/** How many letters the last word of a trigger may go on with: `leak` is found in `leaking`. */
const MAX_ENDING = 3;

function words(text: string): string[] {
  return (text.toLowerCase().replaceAll('’', "'").match(/[\p{L}\p{N}']+/gu) ?? []) as string[];
}

function holds(text: string[], wanted: string[]): boolean {
  const last = wanted.length - 1;
  if (last < 0) return false;
  return text.some((_, at) =>
    wanted.every((word, i) => {
      const found = text[at + i];
      if (found === undefined) return false;
      return i < last ? found === word : found.startsWith(word) && [...found].length - [...word].length <= MAX_ENDING;
    }),
  );
}

export function isMet(trigger: Trigger, form: Form, answers: Answers): boolean {
  if (trigger.kind === 'answer') {
    const lines = (answers[trigger.field] ?? '').split('\n');
    return lines.some((line) => line.trim() !== '' && line.trim().toLowerCase() === trigger.is.trim().toLowerCase());
  }
  const wanted = words(trigger.words);
  return form.fields
    .filter((f) => !['phone', 'number', 'contact'].includes(f.kind.kind) && !isSensitive(f))
    .some((f) => holds(words(answers[f.name] ?? ''), wanted));
}

/** As it is read out. */
export function said(trigger: Trigger): string {
  return trigger.kind === 'words' ? trigger.words : trigger.is;
}

/** The first trigger of an urgent type that the answers hold. */
export function findMet(types: readonly CallType[], form: Form, answers: Answers): { type: CallType; trigger: Trigger } | null {
  for (const type of types) {
    if (type.urgency !== 'urgent') continue;
    const trigger = (type.watched ?? []).find((t) => isMet(t, form, answers));
    if (trigger) return { type, trigger };
  }
  return null;
}

/** Whether taking this as `chosen` is another opinion than the list's: then a reason is asked for. */
export function grade(types: readonly CallType[], chosen: CallType, answers: Answers): Grading | null {
  const met = findMet(types, chosen.form, answers);
  if (chosen.urgency === 'urgent') return !met && (chosen.watched ?? []).length > 0 ? 'raised' : null;
  return met ? 'lowered' : null;
}

/** A grading as a sentence. */
export function gradedWords(graded: { how: Grading; trigger: string | null; reason: string }): string {
  if (graded.how === 'raised') return `Taken as urgent though nothing of the client’s list was met: ${graded.reason}`;
  return `Not taken as urgent though “${graded.trigger ?? ''}” is on the client’s list: ${graded.reason}`;
}
