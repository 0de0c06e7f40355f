// Which call or form stands in the middle of the desk.

import { SPEAKING } from './reduce';
import type { CallView } from './types';

export interface Middle {
  selected: string | null;
  /** A call that a key has taken and that is on its way here. */
  wanted: string | null;
}

function rank(call: CallView): number {
  if (SPEAKING.has(call.state)) return 0;
  if (call.state === 'wrap_up' || call.state === 'patched' || call.state === 'check_in') return 1;
  return call.state === 'held' ? 2 : 3;
}

/**
 * After the calls on the desk have changed. Whom she took by a key comes to the middle the moment the call is hers, also while she types;
 * until then what stands there stays, and in place of what has gone comes what is most alive.
 */
export function pickMiddle({ selected, wanted }: Middle, mine: readonly CallView[], isForm: (id: string) => boolean, leftOver: () => string | undefined): Middle {
  if (wanted !== null && mine.some((c) => c.id === wanted)) return { selected: wanted, wanted: null };
  if (selected !== null && (mine.some((c) => c.id === selected) || isForm(selected))) return { selected, wanted };
  const best = [...mine].sort((a, b) => rank(a) - rank(b))[0];
  return { selected: best?.id ?? leftOver() ?? null, wanted };
}

/**
 * Whom the key for hanging up parts with: whom she has in the ear, whatever stands in the middle. Somebody on hold is never cut off by it,
 * as what she looks at and what she hears may be two callers.
 */
export function hangUpMeant(middle: CallView | null, mine: readonly CallView[]): CallView | null {
  return middle && SPEAKING.has(middle.state) ? middle : (mine.find((c) => SPEAKING.has(c.state)) ?? null);
}

/** The call that a key is meant for: the one in the middle; else, as beside a form that was left, the one she speaks in, and not one on hold that came before it. */
export function callMeant(middle: CallView | null, mine: readonly CallView[]): CallView | null {
  const taken = mine.filter((c) => c.state !== 'offered');
  const over = (c: CallView) => rank(c) === 1;
  return middle ?? taken.find((c) => SPEAKING.has(c.state)) ?? taken.find((c) => !over(c)) ?? taken[0] ?? null;
}
