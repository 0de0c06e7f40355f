// The check of a form while it is filled in. Mirrors the server's, so that most faults show at once;
// the server checks again when the message is saved.

import { readNumber } from './phone';
import type { Answers, Field, FieldError, Form } from './types';

const MAX_ANSWER_CHARS = 4000;

/** What is wrong with one answer, or null. */
export function checkField(field: Field, answer: string | undefined): FieldError | null {
  const text = (answer ?? '').trim();
  const fault = (code: string, message: string): FieldError => ({ field: field.name, code, message });
  if (text === '') return field.required ? fault('required', `Please ask for: ${field.label}.`) : null;
  if ([...text].length > MAX_ANSWER_CHARS) return fault('too_long', 'Too long: 4,000 characters at most.');
  if (field.kind.kind === 'phone' && readNumber(text) === null) {
    return fault('phone', 'Not a complete telephone number: ask again, with area code.');
  }
  if (field.kind.kind === 'choice' && !field.kind.options.some((o) => o.toLowerCase() === text.toLowerCase())) {
    return fault('choice', 'Pick one of the list.');
  }
  return null;
}

/** All faults at once, in the order of the form. */
export function checkForm(form: Form, answers: Answers): FieldError[] {
  return form.fields.map((field) => checkField(field, answers[field.name])).filter((fault) => fault !== null);
}

/** Answers that belong to `form`; what was typed for another call type stays with the caller of this. */
export function answersFor(form: Form, answers: Answers): Answers {
  const kept: Answers = {};
  for (const field of form.fields) {
    const answer = answers[field.name];
    if (answer !== undefined && answer.trim() !== '') kept[field.name] = answer;
  }
  return kept;
}

/** True when anything was typed. */
export function hasContent(answers: Answers): boolean {
  return Object.values(answers).some((answer) => answer.trim() !== '');
}

/** What was typed that has no field in `form`, as it may be read out: an account was changed. */
export function unplaced(form: Form, answers: Answers): string[] {
  const names = new Set(form.fields.map((f) => f.name));
  return Object.entries(answers)
    .filter(([name, answer]) => !names.has(name) && answer.trim() !== '')
    .map(([name, answer]) => `${name}: ${answer.trim()}`);
}
