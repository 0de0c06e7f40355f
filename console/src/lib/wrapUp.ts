// A wrap-up in words: what goes on without her in a call that is not over, and how long it lasts where it ends by no clock. Pure.

import { isWithSupervisor } from './floor';
import { elapsed } from './time';
import type { CallView } from './types';

/** From then on it is pointed out: no caller comes to the seat meanwhile. */
export const LONG_WRAP_UP_MS = 2 * 60_000;

export function isLong(since: number, now: number): boolean {
  return now - since >= LONG_WRAP_UP_MS;
}

/** To her who wraps up, of an account that sets no limit; null while it is not long, and where it ends by itself. */
export function openEnded(call: Pick<CallView, 'state_since' | 'wrap_up_until'>, key: string, now: number): string | null {
  if (call.wrap_up_until || !isLong(call.state_since, now)) return null;
  return `Wrapping up for ${elapsed(now - call.state_since)}, and it does not end by itself: no caller comes to you until ${key} finishes it.`;
}

/** To her who has left a call that goes on: who talks on in it. */
export function offWords(call: Pick<CallView, 'state' | 'patch'>): string {
  if (call.state === 'check_in') return 'You are off this call. The caller hears what is held.';
  if (call.state !== 'patched') return 'You are off this call.';
  return `You are off this call. ${isWithSupervisor(call) ? 'The contact has hung up; the caller talks with a supervisor.' : 'The two talk on.'}`;
}
