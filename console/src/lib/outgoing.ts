// Words for a call that we made: whoever was dialled is no caller, and is greeted otherwise. Pure.

import { showNumber } from './phone';
import type { CallView } from './types';

type Outgoing = Pick<CallView, 'caller' | 'dialled' | 'job'>;

/** Whom we called; null: they called us. */
export function whomWeCalled(call: Outgoing): string | null {
  if (call.job) return call.job.name;
  return call.dialled ? (call.dialled.contact?.name ?? showNumber(call.caller)) : null;
}

/** The party at the other end in a sentence: `the caller`, or who was dialled. */
export function otherParty(call: Outgoing): string {
  return whomWeCalled(call) ?? 'the caller';
}

/** At the head of a call that she made: `You call Dr Patel (mobile) for Maple Street Clinic; they see its number.` */
export function callingWords(call: Pick<CallView, 'account' | 'state'> & Outgoing): string {
  const who = `${otherParty(call)}${call.dialled?.label ? ` (${call.dialled.label})` : ''}`;
  const whose = `for ${call.account.name}`;
  if (call.state === 'wrap_up' || call.state === 'ended') return `You called ${who} ${whose}; they saw its number.`;
  const does = call.state === 'ringing_back' || call.state === 'offered' ? 'call' : 'are on the line with';
  return `You ${does} ${who} ${whose}; they see its number.`;
}

/** What she says first: to a caller the account's phrase, to whom she called who it is that calls. */
export function firstWords(call: Pick<CallView, 'account' | 'account_brief'> & Outgoing): string {
  return call.dialled ? `This is the answering service of ${call.account.name}.` : call.account_brief.answer_phrase;
}

/** With whom she speaks, before the account's name, where another call stands before her. */
export function speaksWith(call: Outgoing): string {
  const called = whomWeCalled(call);
  return called ? `${called}, for` : 'the caller of';
}

/** She rang somebody, and nobody of them was ever on the line: nothing was said. */
export const wasInVain = (call: Pick<CallView, 'ring_back' | 'dialled' | 'taken'>): boolean => !call.taken && !!(call.ring_back ?? call.dialled);

/** It was a caller who ended the call: whom we called may do so when all is said. */
export const callerHungUp = (call: Pick<CallView, 'ended' | 'dialled'>): boolean => call.ended?.cause === 'hung_up' && !call.dialled;
