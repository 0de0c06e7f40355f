// What became of a number that was dialled for a caller, in one sentence.

import { causeWords } from './hears';
import { showNumber } from './phone';
import type { CallPatch, DispatchView, PatchOffer } from './types';

/** "6 min 10 s", "45 s". */
export function lasted(secs: number): string {
  const min = Math.floor(secs / 60);
  const rest = secs % 60;
  if (min === 0) return `${rest} s`;
  return rest === 0 ? `${min} min` : `${min} min ${rest} s`;
}

/** "Ann Archer, +1 202 …: put through (warm), 6 min 10 s (5 min without an operator)". */
export function patchLine(patch: CallPatch): string {
  const who = patch.contact ? `${patch.contact.name}, ${showNumber(patch.number)}` : showNumber(patch.number);
  return `${who}: ${became(patch)}.`;
}

function became(patch: CallPatch): string {
  switch (patch.outcome) {
    case 'joined': {
      const through = `put through (${patch.automated ? 'automated' : patch.cold ? 'cold' : 'warm'})`;
      if (patch.secs === null) return patch.joined_at === null ? through : `${through}; how long is not known yet`;
      const alone = patch.automated || !patch.alone_secs ? '' : ` (${lasted(patch.alone_secs)} without an operator)`;
      return `${through}, ${lasted(patch.secs)}${alone}`;
    }
    case 'failed':
      return causeWords(patch.why);
    case 'not_accepted':
      return 'answered, and did not take the call';
    case 'declined':
      return 'declined by a key';
    case 'given_up':
      if (patch.why === 'lost') return `${patch.answered_at === null ? 'rung' : 'answered'}; our operator's line broke before they were put through`;
      return 'given up';
    case 'open':
      return 'being rung';
  }
}

/** Somebody whom a protocol asks to put a caller through to. */
export interface AskedPatch {
  dispatch: string;
  offer: PatchOffer;
}

/** Whom protocols ask to put the caller of this call through to, in their order. */
export function askedPatches(dispatches: readonly DispatchView[], call: string): AskedPatch[] {
  return dispatches.flatMap((d) => d.patches.filter((offer) => offer.call === call).map((offer) => ({ dispatch: d.id, offer })));
}
