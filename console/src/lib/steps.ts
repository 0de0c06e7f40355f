// What a step of a protocol may say besides how it reaches whom: tries, what counts as done, information, conditions. Pure.

import { move } from './account';
import type { AnswerIs, CallType, Conditions, Contact, Field, Method, ReachKind, Step, Until } from './types';

/** Nobody answers by this way, so it may be for information only. */
export function mayInform(method: Method): boolean {
  if (method.kind === 'secure_message') return !method.confirm;
  return ['email', 'text', 'pager', 'fax', 'webhook'].includes(method.kind);
}

/** A fax and a post have tries of their own, a patch is the operator's, and what is held is not tried. */
export function mayRepeat(method: Method): boolean {
  return !['fax', 'webhook', 'live_patch', 'hold_for_check_in', 'hold_for_recap'].includes(method.kind);
}

/** What people call their destinations that take this way, each once: whoever is on call has one of that name, or the check says who has not. */
export function labelsFor(contacts: readonly Pick<Contact, 'destinations'>[], kind: ReachKind | 'nobody'): string[] {
  return [...new Set(contacts.flatMap((c) => c.destinations.filter((d) => d.reach.kind === kind).map((d) => d.label)))];
}

export const isHeld = (method: Method): boolean => method.kind === 'hold_for_check_in' || method.kind === 'hold_for_recap';

/** What this way can come to. */
export function ends(method: Method): Until[] {
  if (isHeld(method)) return [];
  if (method.kind === 'live_patch') return ['confirmed', 'told'];
  if (method.kind === 'text_confirm' || method.kind === 'call_out' || method.kind === 'operator_call') return ['confirmed', 'told', 'handed_over'];
  if (method.kind === 'secure_message') return method.confirm ? ['confirmed', 'told', 'handed_over'] : ['told', 'handed_over'];
  return ['handed_over'];
}

export const END_WORDS: Record<Until, string> = {
  confirmed: 'a person confirms',
  told: 'a person has heard or opened it',
  handed_over: 'it is accepted for delivery',
};

/** Takes out what does not go with the way any more, in place. */
export function fitted(step: Step): void {
  if (!mayRepeat(step.method)) delete step.tries;
  if (!mayInform(step.method)) delete step.informs;
  if (step.done && !ends(step.method).includes(step.done)) delete step.done;
}

/** Once or so often, in place. */
export function setTimes(step: Step, times: number): void {
  if (times < 2) delete step.tries;
  else step.tries = { times, apart_secs: step.tries?.apart_secs ?? 120 };
}

/** What only informs is waited for by nobody, and ends nothing. */
export function setInforms(step: Step, informs: boolean): void {
  if (!informs) {
    delete step.informs;
    return;
  }
  step.informs = true;
  step.wait_secs = 0;
  delete step.tries;
  delete step.done;
}

/** With `change`, without what says nothing; no conditions at all where nothing is left. */
export function setOnly(step: Step, change: Partial<Conditions>): void {
  const only = Object.fromEntries(
    Object.entries({ ...step.only, ...change }).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Conditions;
  if (Object.keys(only).length) step.only = only;
  else delete step.only;
}

/** Fields that a condition may look at, each once: of the call types named, or of all that are dispatched. */
export function fieldsFor(types: readonly CallType[], only: Conditions | undefined): Field[] {
  const named = only?.call_types ?? [];
  const meant = types.filter((t) => t.urgency !== 'not_legitimate' && (named.length === 0 || named.includes(t.id)));
  const found = new Map<string, Field>();
  for (const field of meant.flatMap((t) => t.form.fields)) {
    if ((field.sensitive ?? 'no') === 'no' && !found.has(field.name)) found.set(field.name, field);
  }
  return [...found.values()];
}

/** The answers with the one at `at` changed; `null` takes it out. */
export function withAnswer(answers: readonly AnswerIs[], at: number, change: Partial<AnswerIs> | null): AnswerIs[] {
  if (change === null) return answers.filter((_, n) => n !== at);
  return answers.map((answer, n) => (n === at ? { ...answer, ...change } : answer));
}

/** Something is said that is not as usual. */
export function hasTerms(step: Step): boolean {
  return Boolean(step.tries ?? step.done ?? step.informs ?? step.only);
}

/** Steps in their order, and from which of them, counted from 1, it goes on again after the last. */
export interface Order {
  steps: Step[];
  repeat: { from_step: number } | null;
}

/** The number of no step: the one that it went on from is taken out, and no other takes its place unasked. */
const GONE = 0;

export const AGAIN_GONE = 'The step from which it went on again is taken out. Choose another one, or stop.';

/** It goes on again from a step that there is no more. */
export function isAgainGone({ steps, repeat }: Order): boolean {
  return repeat !== null && (repeat.from_step < 1 || repeat.from_step > steps.length);
}

/** Moves a step, in place; it goes on again from the same step as before. */
export function moveStep(order: Order, at: number, by: number): void {
  const to = at + by;
  if (to < 0 || to >= order.steps.length) return;
  order.steps = move(order.steps, at, by);
  if (order.repeat === null) return;
  const from = order.repeat.from_step - 1;
  if (from === at) order.repeat = { from_step: to + 1 };
  else if (at < from && from <= to) order.repeat = { from_step: from };
  else if (to <= from && from < at) order.repeat = { from_step: from + 2 };
}

/** Takes a step out, in place; it goes on again from the same step as before, or from none if that was the one. */
export function takeOutStep(order: Order, at: number): void {
  order.steps.splice(at, 1);
  if (order.repeat === null) return;
  const from = order.repeat.from_step - 1;
  if (from === at) order.repeat = { from_step: GONE };
  else if (from > at) order.repeat = { from_step: from };
}
