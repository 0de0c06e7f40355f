// What a caller chose in the account's menu, in one line.

import type { CallView } from './types';

/** `chose 1: emergency`, or nothing. */
export function chose(call: CallView): string | null {
  if (call.chosen.length === 0) return null;
  return `chose ${call.chosen.map((c) => `${c.key}: ${c.label}`).join(', then ')}`;
}
