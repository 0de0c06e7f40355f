// What was typed in fields that the form at hand does not ask for: the call type, or the account, was changed after it was typed.
// It is weighed, shown and kept like the answers. Mirrors the server's (domain/message/also), which decides; both are held against
// tests/also-cases.json. Pure.

import { answersFor, isSensitive, shownFields, type Asked } from './form';
import type { Answers, CallType, Field, Form } from './types';

/** An answer under the label by which it was asked for. */
export interface Also {
  field: Field;
  answer: string;
}

/** `unit_number` as people read it. */
function labelOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The field, asking no more. */
function kept(name: string, asked: Field | undefined): Field {
  return { name, label: asked?.label ?? labelOf(name), kind: asked?.kind ?? { kind: 'long_text' }, brief: asked?.brief === true };
}

/**
 * What of `typed` no shown field of `form` holds. `others`: the account's forms, which may have asked for it. `all`: `typed` with what is in no
 * draft, by which fields are shown and hidden. An answer that is hidden by another answer wherever it is asked for counts no more, and one that
 * is sensitive in any form goes nowhere but into a form that asks for it.
 */
export function alsoTaken(form: Form, typed: Answers, others: readonly Form[], asked: Asked, all: Answers = typed): Also[] {
  const shown = new Set(shownFields(form, all, asked).map((f) => f.name));
  const asking = others.flatMap((other) => shownFields(other, all, asked));
  const known = [form, ...others].flatMap((other) => other.fields);
  const taken: Also[] = [];
  for (const [name, answer] of Object.entries(typed)) {
    if (answer.trim() === '' || shown.has(name)) continue;
    if (known.some((f) => f.name === name && isSensitive(f))) continue;
    const field = asking.find((f) => f.name === name);
    if (field || !known.some((f) => f.name === name)) taken.push({ field: kept(name, field), answer: answer.trim() });
  }
  return taken;
}

/** Undefined: it is retired, or not known here, and may have been. */
export function mayBeProtected(type: CallType | undefined): boolean {
  return type === undefined || type.protected === true;
}

/** What was typed for a protected call type would leave in clear with this one: it goes along only where she says so, word by word. */
export function leavesProtection(from: CallType | undefined, to: CallType | undefined): boolean {
  return mayBeProtected(from) && to !== undefined && to.protected !== true;
}

/** As it is sent. */
export function alsoAnswers(also: readonly Also[]): Answers {
  return Object.fromEntries(also.map(({ field, answer }) => [field.name, answer]));
}

/** What the client's list is looked for in: the form with what was also taken. */
export function weighed(form: Form, all: Answers, also: readonly Also[], asked: Asked): { form: Form; answers: Answers } {
  const names = new Set(also.map(({ field }) => field.name));
  const fields = [...form.fields.filter((f) => !names.has(f.name)), ...also.map(({ field }) => field)];
  return { form: { ...form, fields }, answers: { ...answersFor(form, all, asked), ...alsoAnswers(also) } };
}
