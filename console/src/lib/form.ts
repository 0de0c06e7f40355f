// The check of a form while it is filled in. Mirrors the server's, so that most faults show at once;
// the server checks again when the message is saved.

import { isDuring } from './during';
import { readNumber } from './phone';
import { shaped } from './shape';
import type { Answers, Field, FieldError, FieldKind, Form } from './types';

const MAX_ANSWER_CHARS = 4000;

/** Where and when a form is filled in: what is asked by the hour is asked by the account's clock. */
export interface Asked {
  at: number;
  zone: string;
  /** The account's people by name. */
  people: string[];
}

const SOMEWHERE: Asked = { at: 0, zone: 'UTC', people: [] };

/** A number as the server would write it, or null. */
export function readAmount(text: string): string | null {
  const plain = text.replace(/[\s\u00a0]/g, '');
  if (plain.length > 24 || !/^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$/.test(plain)) return null;
  return plain.replace(/^\+/, '').replace(/,/g, '');
}

/** What a condition on this kind can ask for; null: anything. */
export function valuesOf(kind: FieldKind): string[] | null {
  if (kind.kind === 'yes_no') return ['yes', 'no'];
  return kind.kind === 'choice' || kind.kind === 'several' ? kind.options : null;
}

/** The fields that are asked now: those at their hours whose condition an earlier answer meets. */
export function shownFields(form: Form, answers: Answers, asked: Asked = SOMEWHERE): Field[] {
  const shown: Field[] = [];
  for (const field of form.fields) {
    if (field.hours && !isDuring(field.hours, asked.zone, asked.at)) continue;
    const condition = field.shown_if;
    if (condition) {
      const before = shown.find((f) => f.name === condition.field);
      const lines = (before ? (answers[before.name] ?? '') : '').split('\n').map((l) => l.trim().toLowerCase()).filter(Boolean);
      const met = condition.is?.length ? condition.is.some((wanted) => lines.includes(wanted.toLowerCase())) : lines.length > 0;
      // A wrong answer is none, as the server would keep none of it.
      if (!met || (before && checkField(before, answers[before.name], asked))) continue;
    }
    shown.push(field);
  }
  return shown;
}

/** What is wrong with one answer, or null. */
export function checkField(field: Field, answer: string | undefined, asked: Asked = SOMEWHERE): FieldError | null {
  const text = (answer ?? '').trim();
  const fault = (code: string, message: string): FieldError => ({ field: field.name, code, message });
  /** How it is written is wrong, and it may say what is meant all the same. */
  const written = (code: string, message: string): FieldError => ({ ...fault(code, message), format: true });
  const inShape = (kept: string): FieldError | null => {
    const found = shaped(field.kind.kind, field.shape, kept);
    return 'code' in found ? written(found.code, found.message) : null;
  };
  if (text === '') return field.required ? fault('required', `Please ask for: ${field.label}.`) : null;
  if ([...text].length > MAX_ANSWER_CHARS) return fault('too_long', 'Too long: 4,000 characters at most.');
  const among = (list: string[], one: string) => list.some((o) => o.toLowerCase() === one.trim().toLowerCase());
  switch (field.kind.kind) {
    case 'phone':
      return readNumber(text) === null ? written('phone', 'Not a complete telephone number: ask again, with area code.') : null;
    case 'number': {
      const amount = readAmount(text);
      return amount === null ? written('number', 'Not a number: write digits, like 1250 or 12.5.') : inShape(amount);
    }
    case 'date': {
      const real = /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00Z`).toJSON()?.startsWith(text);
      return real ? inShape(text) : written('date', 'Not a day: write year, month, day, like 2026-03-07.');
    }
    case 'time':
      return /^([01]?\d|2[0-3]):[0-5]\d$/.test(text) ? inShape(text.padStart(5, '0')) : written('time', 'Not a time of the day: write hours and minutes, like 14:05.');
    case 'yes_no':
      return among(['yes', 'no'], text) ? null : fault('yes_no', 'Answer yes or no.');
    case 'choice':
      return among(field.kind.options, text) ? null : fault('choice', 'Pick one of the list.');
    case 'several': {
      const { options } = field.kind;
      return text.split('\n').every((line) => among(options, line)) ? null : fault('choice', 'Pick only what is in the list.');
    }
    case 'contact':
      return among(asked.people, text) ? null : fault('contact', "Pick one of the account's people.");
    default:
      return inShape(text);
  }
}

/** Only how answers are written is wrong, and it is urgent: it may be sent as it is. */
export function mayGoAsIs(urgency: string, faults: readonly FieldError[]): boolean {
  return urgency === 'urgent' && faults.length > 0 && faults.every((fault) => fault.format === true);
}

/** All faults at once, in the order of the form; hidden fields have none. */
export function checkForm(form: Form, answers: Answers, asked: Asked = SOMEWHERE): FieldError[] {
  return shownFields(form, answers, asked)
    .map((field) => checkField(field, answers[field.name], asked))
    .filter((fault) => fault !== null);
}

/** Answers that belong to shown fields of `form`; what was typed for others stays with the caller of this. */
export function answersFor(form: Form, answers: Answers, asked: Asked = SOMEWHERE): Answers {
  const kept: Answers = {};
  for (const field of shownFields(form, answers, asked)) {
    const answer = answers[field.name];
    if (answer !== undefined && answer.trim() !== '') kept[field.name] = answer;
  }
  return kept;
}

/** An answer as it is read, kept short where it is sensitive. */
export function showAnswer(field: Field, answer: string, showNumber: (number: string) => string): string {
  switch (field.kind.kind) {
    case 'phone':
      return showNumber(answer);
    case 'several':
      return answer.split('\n').join(', ');
    case 'yes_no':
      return answer === 'yes' ? 'Yes' : answer === 'no' ? 'No' : answer;
    default:
      return answer;
  }
}

/** An answer that is kept out of drafts, texts and the recording. */
export function isSensitive(field: Field | undefined): boolean {
  return field?.sensitive === 'kept' || field?.sensitive === 'not_kept';
}

/** True when anything was typed. */
export function hasContent(answers: Answers): boolean {
  return Object.values(answers).some((answer) => answer.trim() !== '');
}
