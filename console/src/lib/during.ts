// Whether an instant is in hours of some days, as the server says it (`domain/oncall/windows`): in nights in which clocks change too. Both
// are held against tests/hours-cases.json. Pure.

import { DAYS, minutesOf } from './hours';
import type { Weekday } from './types';
import { addDays, dateOf, firstAt, lastAt } from './wall';

/** The hours begin on these days, on the clocks of `zone`. */
export function isDuring(hours: { days: readonly Weekday[]; from: string; until: string }, zone: string, at: number): boolean {
  const [from, until] = [minutesOf(hours.from), minutesOf(hours.until)];
  if (from === null || until === null) return false;
  const today = dateOf(at, zone);
  // They last a day at most: what is not over began today or yesterday.
  return [addDays(today, -1), today].some((date) => {
    if (!hours.days.includes(weekdayOf(date))) return false;
    const last = until <= from ? addDays(date, 1) : date;
    return firstAt(`${date}T${hours.from}`, zone) <= at && at < lastAt(`${last}T${hours.until}`, zone);
  });
}

function weekdayOf(date: string): Weekday {
  // Sunday is the first of the browser's days.
  return DAYS[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7]!.id;
}
