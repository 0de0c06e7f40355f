// A change of schedules as it is read: each thing once, from what to what. Pure.

import type { HistoryLine } from './schedule';

/** The first words, and what they come to where that is more than one thing. */
export interface Told {
  head: string;
  lines: string[];
}

export function tell(change: Pick<HistoryLine, 'what' | 'lines' | 'undoes'>): Told {
  const lines = change.lines.map(fromTo);
  if (lines.length <= 1) return { head: lines[0] ?? change.what, lines: [] };
  // An undo begins with whose change it took back.
  if (change.undoes !== null) return { head: lines[0]!, lines: lines.slice(1) };
  return { head: '', lines };
}

function fromTo({ what, before, after }: HistoryLine['lines'][number]): string {
  // What says all of it by itself was neither anything before nor after.
  if (before === null && after === null) return what;
  if (before === after) return `${what}: ${after}, as before`;
  return `${what}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`;
}
