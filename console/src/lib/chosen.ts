// What a caller chose and entered in the account's menu, in one line; and which field a number belongs in.

import { isSensitive } from './form';
import type { Answers, CallView, Entered, Form } from './types';

/** `chose 1: emergency; entered policy number 00471`, or nothing. */
export function chose(call: CallView): string | null {
  const parts: string[] = [];
  if (call.chosen.length > 0) parts.push(`chose ${call.chosen.map((c) => `${c.key}: ${c.label}`).join(', then ')}`);
  const entered = enteredWords(call.entered ?? []);
  if (entered) parts.push(entered);
  return parts.length > 0 ? parts.join('; ') : null;
}

/** `entered policy number 00471 (not confirmed)`; empty if nothing was. */
export function enteredWords(entered: readonly Entered[]): string {
  if (entered.length === 0) return '';
  const one = (e: Entered) => `${e.label} ${e.digits}${e.said_back === 'unanswered' ? ' (not confirmed)' : ''}`;
  return `entered ${entered.map(one).join(', ')}`;
}

/** The answers that are not there yet and that the caller has given by keys: each number in its field, if the form has one. */
export function filledIn(form: Form, answers: Answers, entered: readonly Entered[]): Answers {
  const filled: Answers = {};
  for (const number of entered) {
    const by = (wanted: string) => (f: { name: string; label: string }) => f.name === wanted || f.label.toLowerCase() === wanted.toLowerCase();
    const field = form.fields.find(by(number.field ?? number.label));
    // What was typed, or taken out again, is hers.
    if (field && !isSensitive(field) && answers[field.name] === undefined) filled[field.name] = number.digits;
  }
  return filled;
}
