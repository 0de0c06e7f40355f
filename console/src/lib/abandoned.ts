// Callers who hung up too early, or were cut off, in words.

import { when } from './time';
import type { AbandonedKind, AbandonedView, CallbackView, TriesView } from './types';

export const KINDS: readonly AbandonedKind[] = ['greeting', 'menu', 'voicemail', 'put_through', 'queue', 'no_operator', 'hold', 'parked', 'form', 'cut_off'];

const WORDS: Record<AbandonedKind, string> = {
  greeting: 'during the greeting',
  menu: 'in the menu',
  voicemail: 'at the voicemail, nothing said',
  put_through: 'while being put through',
  queue: 'in the queue',
  no_operator: 'told nobody is free',
  hold: 'on hold',
  parked: 'parked',
  form: 'form not finished',
  cut_off: 'cut off by us',
};

/** Where they were; null: they asked to be called back. */
export function kindWords(kind: AbandonedKind | null): string {
  return kind ? WORDS[kind] : 'promised a call';
}

/** The same with who was rung for them by itself: `while being put through to John Doe`. */
export function whereWords({ kind, rung = [], put_through = false }: Pick<Gone, 'kind' | 'rung' | 'put_through'>): string {
  const names = rung.join(', then ');
  if (put_through) return names ? `while being put through to ${names}` : 'while being put through';
  return names ? `${kindWords(kind)}, after ${names} did not take the call` : kindWords(kind);
}

/** `chose emergency, then a leak`; empty where nothing was. */
export function choseWords({ chosen = [] }: Pick<Gone, 'chosen'>): string {
  return chosen.length > 0 ? `chose ${chosen.join(', then ')}` : '';
}

/** A line of the page *Hung up*. */
export interface Gone extends Omit<AbandonedView, 'kind'> {
  kind: AbandonedKind | null;
}

/** Who asked to be called back first, whoever waits longest on top; then those who hung up. Nobody twice. */
export function goneRows(hungUp: AbandonedView[], callbacks: CallbackView[]): Gone[] {
  const known = new Set(hungUp.map((item) => item.call));
  const promised = callbacks.filter((back) => !known.has(back.call));
  const row = ({ call, account, number, since, tries, draft, calls_today, earlier }: CallbackView): Gone => ({
    call,
    account,
    did: null,
    caller: number,
    kind: null,
    started_at: since,
    ended_at: since,
    operator: null,
    ring_back: tries.next !== 'never',
    tries,
    draft: draft ?? null,
    calls_today,
    earlier,
  });
  return [...promised.map(row), ...hungUp];
}

/** The answers that a begun form holds, short. */
export function begun(item: { draft?: AbandonedView['draft'] }): string {
  const answers = Object.values(item.draft?.answers ?? {}).map((answer) => answer.trim());
  return answers.filter(Boolean).slice(0, 3).join(' · ');
}

const ORDINALS = ['', '', '2nd', '3rd'];

/** How often they called today, and what was taken from them before: `3rd call today · 2 messages before`. */
export function knownWords({ calls_today = 0, earlier = 0 }: { calls_today?: number; earlier?: number }): string {
  const calls = calls_today > 1 ? `${ORDINALS[calls_today] ?? `${calls_today}th`} call today` : '';
  const messages = earlier > 0 ? `${earlier} ${earlier === 1 ? 'message' : 'messages'} before` : '';
  return [calls, messages].filter(Boolean).join(' · ');
}

/** They are rung again at a time that is still to come: an operator may do so now, or give it up. */
export function isBetweenTries(tries: TriesView | null, now: number): boolean {
  return tries?.next_at != null && tries.next_at > now;
}

/** How ringing them back goes: `next try 14:05, 1 of 3 in vain`. */
export function triesWords(tries: TriesView | null, now: number): string {
  if (!tries) return '';
  const vain = `${tries.made} of ${tries.most} in vain`;
  if (tries.next === 'never') return tries.made > 0 ? `rung ${tries.made}× in vain, not rung again` : 'not rung again';
  if (tries.next === 'now') return tries.made > 0 ? `is being rung, ${vain}` : 'is being rung';
  if (tries.next_at !== null && tries.next_at > now) return tries.made > 0 ? `next try ${when(tries.next_at, now)}, ${vain}` : `rung again ${when(tries.next_at, now)}`;
  return tries.made > 0 ? `waits to be rung, ${vain}` : 'waits to be rung';
}
