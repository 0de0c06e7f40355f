// Which line of a protocol is now, for the panel that shows it. Pure.

import type { DispatchView, Protocol } from './types';

/** The place of the line in the protocol's text, from 0; null: none of them. `begins`: nothing is saved yet, so that the first comes. */
export function stepNow(
  protocol: Pick<Protocol, 'id'> | undefined,
  dispatch: Pick<DispatchView, 'protocol' | 'step' | 'closed_at'> | null | undefined,
  begins: boolean,
): number | null {
  if (begins) return 0;
  // Of another version the lines are others.
  if (!protocol || !dispatch || dispatch.closed_at !== null || dispatch.protocol !== protocol.id) return null;
  return dispatch.step ? dispatch.step - 1 : null;
}
