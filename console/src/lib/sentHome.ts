// An operator whom a supervisor has logged out: at once, or once the call she talks in and its form are done.

import type { SeatView } from './types';

/** Who logged this seat out last, as far as it has not been ready since. */
export function loggedOutBy(seat: Pick<SeatView, 'reason'> | null | undefined): string | null {
  return /^logged out by (.+)$/.exec(seat?.reason ?? '')?.[1] ?? null;
}

/** What stands on her own page until then; null: nothing of that kind is to come. */
export function toComeWords(seat: Pick<SeatView, 'reason' | 'sent_home'> | null | undefined): string | null {
  const by = seat?.sent_home ? loggedOutBy(seat) : null;
  return by && `${by} logged you out: no more calls come to you, and when this one and its form are done you are logged out.`;
}

/** The same for whoever looks at her from the floor. */
export function toComeAtSeat(seat: Pick<SeatView, 'reason' | 'sent_home'> | null | undefined): string | null {
  if (!seat?.sent_home) return null;
  const by = loggedOutBy(seat);
  return `Logged out after this call${by ? `, by ${by}` : ''}.`;
}

/** Why the log-in page is there. */
export function sessionEndedWords(by: string | null): string {
  return `${by ? `${by} logged you out.` : 'Your session has ended.'} Log in again: what you typed is kept.`;
}
