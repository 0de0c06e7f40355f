// Whether her telephone is in another browser: she speaks, as the server has it, and no call is up in this one. Pure.

import { SPEAKING } from './reduce';
import type { PhoneCall, PhoneLink } from './softphone';
import type { CallView, SeatView } from './types';

/** A call on its way here may be up at the server for a moment before it is here. */
export const AFTER_MS = 3_000;
/** After a reload the telephone of the page that is gone is missed by the server only in a while: that one is in no other browser. */
export const AFTER_LOAD_MS = 15_000;

export function isElsewhere(seat: Pick<SeatView, 'desk_phone'> | null, link: PhoneLink, mine: readonly Pick<CallView, 'state'>[], here: readonly PhoneCall[]): boolean {
  if (link !== 'registered' || !seat || seat.desk_phone) return false;
  return mine.some((c) => SPEAKING.has(c.state)) && here.length === 0;
}

/** How long it has to be so before it is said. `age`: of this page. */
export function patience(age: number): number {
  return Math.max(AFTER_MS, AFTER_LOAD_MS - age);
}
