// Who rings back, and what of it waits for their PIN: until it was right nothing of that is shown, read or confirmed. Pure.

import type { AskedView } from './types';

/** What they can say yes to now, in the order in which it is shown; and the account whose PIN is asked for next, if one is. */
export function byPin(asked: readonly AskedView[]): { open: AskedView[]; waits: AskedView[]; next: AskedView['account'] | null } {
  const waits = asked.filter((one) => one.pin === true);
  return { open: asked.filter((one) => one.pin !== true), waits, next: waits[0]?.account ?? null };
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
