// What somebody saw of a calendar where they change it. The server refuses a change where somebody else is on call by now. Pure.

import type { Calendar, Changes, Seen } from './schedule';
import type { Extent } from './spans';

/** Where a change touches the calendar: what is made, and what is taken out. */
export function touched(calendar: Calendar, changes: Pick<Changes, 'remove' | 'add'>): Extent[] {
  const gone = calendar.overrides.filter((o) => changes.remove.includes(o.id));
  return [...gone, ...changes.add].map(({ from, until }) => ({ from, until }));
}

/** Who is on call in these times, as the calendar shows it; each time once. */
export function seenIn(calendar: Calendar, times: readonly Extent[]): Seen[] {
  const pieces: Seen[] = [];
  for (const time of merged(times)) {
    for (const span of calendar.final) {
      const [from, until] = [Math.max(span.from, time.from), Math.min(span.until, time.until)];
      if (until <= from) continue;
      const last = pieces.at(-1);
      // By which reason they are on call is nobody's concern here.
      if (last && last.until === from && same(last.people, span.people)) last.until = until;
      else pieces.push({ people: [...span.people], from, until });
    }
  }
  return pieces;
}

const same = (one: readonly string[], other: readonly string[]) => one.length === other.length && one.every((id) => other.includes(id));

function merged(times: readonly Extent[]): Extent[] {
  const found: Extent[] = [];
  for (const { from, until } of [...times].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last && from <= last.until) last.until = Math.max(last.until, until);
    else found.push({ from, until });
  }
  return found;
}
