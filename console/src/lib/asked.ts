// Who rings back, and what of it waits for their PIN: until it was right nothing of that is shown, read or confirmed. Pure.

import type { AskedView, CallView } from './types';

/** What they can say yes to now, in the order in which it is shown; and the account whose PIN is asked for next, if one is. */
export function byPin(asked: readonly AskedView[]): { open: AskedView[]; waits: AskedView[]; next: AskedView['account'] | null } {
  const waits = asked.filter((one) => one.pin === true);
  return { open: asked.filter((one) => one.pin !== true), waits, next: waits[0]?.account ?? null };
}

/**
 * The call of hers on which a PIN is to be told before a yes to this dispatch is taken: of whoever is known by the number and was asked, or else of
 * who has called for the account, from no number of theirs, and names it. She speaks with them sooner than with who is on hold.
 */
export function asksPin(mine: readonly CallView[], dispatch: string, account: string): { call: CallView; named: boolean } | null {
  const waits = (call: CallView) => call.rings_back?.dispatches.some((one) => one.dispatch === dispatch && one.pin === true) ?? false;
  const known = mine.find((call) => waits(call) && call.state !== 'wrap_up' && call.state !== 'ended');
  if (known) return { call: known, named: false };
  const cameIn = mine.filter((call) => call.account.id === account && !call.job && !call.dialled && !call.ring_back);
  const states: CallView['state'][] = ['talking', 'consulting', 'held'];
  const call = states.flatMap((state) => cameIn.filter((one) => one.state === state))[0];
  return call ? { call, named: true } : null;
}

/** What may be a PIN: it is sent, and counts as a try. */
export function mayBePin(typed: string): boolean {
  return /^\d{4,10}$/.test(typed.trim());
}

/** "2 open dispatches, 1 message to hear": what somebody who rings back is asked, and what they have had a notice of. */
export function asksWords(asked: readonly AskedView[]): string {
  const heard = asked.filter((one) => one.notice === true).length;
  const open = asked.length - heard;
  const parts = [];
  if (open > 0 || heard === 0) parts.push(open === 1 ? '1 open dispatch' : `${open} open dispatches`);
  if (heard > 0) parts.push(heard === 1 ? '1 message to hear' : `${heard} messages to hear`);
  return parts.join(', ');
}
