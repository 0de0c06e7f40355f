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
