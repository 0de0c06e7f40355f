// Whether a seat that the server calls talking has anybody in the ear. Pure.

import { SPEAKING } from './reduce';
import type { CallView } from './types';

/**
 * Since when the one who waits longest is on hold, where all are and nobody hears her; null where she speaks with somebody, or has nobody.
 * An offered call is no reason to say that she talks.
 */
export function onlyOnHold(mine: readonly Pick<CallView, 'state' | 'state_since'>[]): number | null {
  if (mine.some((call) => SPEAKING.has(call.state))) return null;
  const held = mine.filter((call) => call.state === 'held').map((call) => call.state_since);
  return held.length > 0 ? Math.min(...held) : null;
}
