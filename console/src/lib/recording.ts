// Whose words a recording holds, and that it stands still, in words.

import type { CallView, RecordedLegs } from './types';

const NAMES: readonly [keyof RecordedLegs, string][] = [
  ['caller', 'the caller'],
  ['operator', 'the operator'],
  ['contact', 'a contact who is patched in'],
];

/** "the operator and a contact who is patched in"; null where nobody is left out. */
export function leftOut(legs: RecordedLegs | undefined): string | null {
  const out = NAMES.filter(([leg]) => legs && !legs[leg]).map(([, name]) => name);
  return out.length === 0 ? null : out.join(' and ');
}

/** ", without the caller": beside a recording that leaves somebody out. */
export function without(legs: RecordedLegs | undefined): string {
  const out = leftOut(legs);
  return out === null ? '' : `, without ${out}`;
}

/** Silent by an operator's key, and not by what is being typed. */
export const isPausedByHand = ({ recording }: Pick<CallView, 'recording'>): boolean => recording.state === 'paused' && recording.covered !== true;

/** To whoever has been handed a caller: what the colleague paused is hers to go on with. */
export function stillPaused(call: Pick<CallView, 'recording'>, colleague: string): string | null {
  return isPausedByHand(call) ? `The recording is still paused, as ${colleague} left it: Alt+, goes on with it.` : null;
}
