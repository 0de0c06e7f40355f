// How a dispatch ended well, in words: only a person's yes is a confirmation.

import type { DispatchView } from './types';

export function settledWords(dispatch: Pick<DispatchView, 'state' | 'confirmed_by'>): string | null {
  const who = dispatch.confirmed_by;
  if (!who) return null;
  if (dispatch.state === 'patched') return `Put through to ${who}`;
  if (dispatch.state === 'read_at_check_in') return `Heard at check-in by ${who}`;
  return dispatch.state === 'told' ? `Heard by ${who}` : `Confirmed by ${who}`;
}
