// Whose words a recording holds, in words.

import type { RecordedLegs } from './types';

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
