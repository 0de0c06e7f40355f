// Callers who hung up too early, in words.

import type { AbandonedKind, AbandonedView } from './types';

export const KINDS: readonly AbandonedKind[] = ['greeting', 'queue', 'hold', 'parked', 'form'];

export const KIND_WORDS: Record<AbandonedKind, string> = {
  greeting: 'during the greeting',
  queue: 'in the queue',
  hold: 'on hold',
  parked: 'parked',
  form: 'form not finished',
};

/** The answers that a begun form holds, short. */
export function begun(item: AbandonedView): string {
  const answers = Object.values(item.draft?.answers ?? {}).map((answer) => answer.trim());
  return answers.filter(Boolean).slice(0, 3).join(' · ');
}
