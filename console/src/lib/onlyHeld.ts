// A message that waits to be asked for, or for its report, and of which nobody has been told anything.

import type { DispatchView } from './types';

const TOLD: ReadonlySet<string> = new Set(['attempt', 'accepted', 'told']);

/** Nothing of it was sent, rung or read out: there is nothing yet that could stay as it was sent. */
export function isOnlyHeld({ state, timeline }: Pick<DispatchView, 'state' | 'timeline'>): boolean {
  const held = state === 'held_for_check_in' || state === 'held_for_recap';
  return held && !timeline.some((line) => TOLD.has(line.kind ?? ''));
}
