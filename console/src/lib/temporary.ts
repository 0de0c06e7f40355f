// Temporary schedules, which stand in place of all layers for a time: which of them there are, and what is taken out of them. Pure. What
// was is left as it is, so nothing is taken out before `now`.

import type { Schedule, Temporary } from './schedule';
import { moment, period, type Extent } from './spans';

/** Those that are not over, the next first. */
export function standing(schedule: Schedule | null, now: number): Temporary[] {
  return (schedule?.temporary ?? []).filter((plan) => plan.until > now).sort((a, b) => a.from - b.from);
}

export type Cut = (Extent & { words: string }) | { refused: string };

/** A time taken out of a temporary schedule, and that in words. */
export function cutOf(plan: Temporary, time: Extent, now: number, zone: string): Cut {
  if (time.until <= time.from) return { refused: 'A time ends after it begins.' };
  const begun = Math.floor(now / 60_000) * 60_000;
  const [from, until] = [Math.max(time.from, plan.from, begun), Math.min(time.until, plan.until)];
  if (until <= from) return { refused: time.until <= now ? 'What is past cannot be changed.' : `“${plan.name}” is not in force then.` };
  const whose = `Temporary schedule “${plan.name}”`;
  if (until === plan.until && from === plan.from) return { from, until, words: `${whose} taken out, ${period(plan, now, zone)}` };
  if (until === plan.until) return { from, until, words: `${whose} ended at ${moment(from, now, zone)}` };
  if (from === plan.from) return { from, until, words: `${whose} begins at ${moment(until, now, zone)}` };
  return { from, until, words: `${whose} without ${period({ from, until }, now, zone)}` };
}
