// An import whose answer was lost on the way: what is read afterwards says whether it was made, and the history by which name it is
// taken back. Pure.

import type { HistoryLine, Schedule, Temporary } from './schedule';
import type { Extent } from './spans';

/** What was sent, and which temporary schedules were there then, by when they were made. */
export interface LostImport extends Extent {
  words: string;
  role: string;
  at: number;
  before: ReadonlySet<number>;
}

/** What the server calls a temporary schedule that a file has become. */
const READ_IN = 'read in';
/** Between the making of a plan and the noting of it. */
const NOTED_MS = 10_000;

/** The schedule that has it now, and what it became; null: it was not made, or not yet. */
export function planMade(lost: LostImport, now: readonly Schedule[]): { schedule: string; plan: Temporary } | null {
  for (const { id, role, temporary } of now) {
    const plan = role === lost.role && temporary.find((one) => one.name === READ_IN && one.from === lost.from && one.until === lost.until && !lost.before.has(one.made_at));
    if (plan) return { schedule: id, plan };
  }
  return null;
}

/** The change that made it; null: it is not among these. */
export function changeOf(schedule: string, plan: Temporary, history: readonly HistoryLine[]): number | null {
  const apart = (line: HistoryLine) => Math.abs(line.at - plan.made_at);
  const near = history.filter((line) => line.schedule === schedule && line.undoes === null && apart(line) < NOTED_MS);
  return near.sort((a, b) => apart(a) - apart(b))[0]?.seq ?? null;
}
