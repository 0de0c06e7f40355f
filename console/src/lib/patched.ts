// Calls whose operator dropped off a patch: the two talked on without her, and however that ends it was a patch that came off.

import { SPEAKING } from './reduce';
import type { CallView } from './types';

/** After the calls on the desk have changed. Whoever called her back into the patch is hers again: that counts no more. */
export function patchedThrough(before: ReadonlySet<string>, mine: readonly CallView[]): ReadonlySet<string> {
  const left = (call: CallView) => call.state === 'patched' || (before.has(call.id) && call.state !== 'held' && !SPEAKING.has(call.state));
  return new Set(mine.filter(left).map((c) => c.id));
}
