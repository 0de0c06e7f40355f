// Clocks of a zone, and its days as they really are: 23 or 25 hours long where the clocks are changed. Pure.

const MINUTE = 60_000;
const DAY = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();
/** Offsets by zone and quarter of an hour; clocks change at no other times. */
const known = new Map<string, number>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const parts = { hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    try {
      format = new Intl.DateTimeFormat('en-CA', { ...parts, timeZone: zone });
    } catch {
      // A zone this browser does not know: UTC says so plainly, as the zone is named beside each time.
      format = new Intl.DateTimeFormat('en-CA', { ...parts, timeZone: 'UTC' });
    }
    formats.set(zone, format);
  }
  return format;
}

/** How far the clocks of `zone` are ahead of UTC, in milliseconds. */
export function offsetAt(at: number, zone: string): number {
  const quarter = Math.floor(at / (15 * MINUTE));
  const key = `${zone} ${quarter}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const parts = formatOf(zone).formatToParts(quarter * 15 * MINUTE);
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  const offset = shown - quarter * 15 * MINUTE;
  if (known.size > 20_000) known.clear();
  known.set(key, offset);
  return offset;
}

/** What the clocks show: `2026-11-23T08:00`. */
export function wallOf(at: number, zone: string): string {
  return new Date(at + offsetAt(at, zone)).toISOString().slice(0, 16);
}

export function dateOf(at: number, zone: string): string {
  return wallOf(at, zone).slice(0, 10);
}

/** The first instant at which the clocks show `text`; where they skip it, the first one after the gap. */
export function firstAt(text: string, zone: string): number {
  const wanted = Date.parse(`${text}Z`);
  const [before, after] = [wanted - DAY, wanted + DAY];
  const right = [offsetAt(before, zone), offsetAt(after, zone)]
    .map((offset) => ({ at: wanted - offset, offset }))
    .filter(({ at, offset }) => offsetAt(at, zone) === offset);
  if (right.length > 0) return Math.min(...right.map(({ at }) => at));
  return changeIn(before, after, zone)?.at ?? wanted - offsetAt(wanted, zone);
}

/** The last instant at which the clocks show `text`: where they show it twice, the second time. */
export function lastAt(text: string, zone: string): number {
  const wanted = Date.parse(`${text}Z`);
  const right = [offsetAt(wanted - DAY, zone), offsetAt(wanted + DAY, zone)]
    .map((offset) => ({ at: wanted - offset, offset }))
    .filter(({ at, offset }) => offsetAt(at, zone) === offset);
  return right.length > 0 ? Math.max(...right.map(({ at }) => at)) : firstAt(text, zone);
}

/** A change of the clocks: when, and by how many minutes they go on (or back, below zero). */
export interface Change {
  at: number;
  minutes: number;
}

function changeIn(from: number, until: number, zone: string): Change | null {
  const before = offsetAt(from, zone);
  const after = offsetAt(until, zone);
  if (before === after) return null;
  let [low, high] = [from, until];
  while (high - low > MINUTE) {
    const middle = Math.floor((low + high) / 2 / MINUTE) * MINUTE;
    if (middle <= low) break;
    if (offsetAt(middle, zone) === before) low = middle;
    else high = middle;
  }
  return { at: Math.ceil(high / MINUTE) * MINUTE, minutes: (after - before) / MINUTE };
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

export function addMonths(date: string, months: number): string {
  const [year, month] = [Number(date.slice(0, 4)), Number(date.slice(5, 7))];
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

export function mondayOf(date: string): string {
  const weekday = new Date(`${date}T00:00Z`).getUTCDay();
  return addDays(date, -((weekday + 6) % 7));
}

/** A day of the zone: from its first instant to the next day's. */
export interface Day {
  date: string;
  from: number;
  until: number;
  change: Change | null;
}

export function daysFrom(date: string, count: number, zone: string): Day[] {
  return Array.from({ length: count }, (_, n) => {
    const from = firstAt(`${addDays(date, n)}T00:00`, zone);
    const until = firstAt(`${addDays(date, n + 1)}T00:00`, zone);
    return { date: addDays(date, n), from, until, change: changeIn(from, until, zone) };
  });
}

/** `25 hours: at 02:00 the clocks go back by an hour`; empty on a day like any other. */
export function sayChange(day: Day, zone: string): string {
  if (!day.change) return '';
  const hours = (day.until - day.from) / 3_600_000;
  const size = Math.abs(day.change.minutes);
  const by = size === 60 ? 'an hour' : `${size} minutes`;
  const shown = new Date(day.change.at + offsetAt(day.change.at - 1, zone)).toISOString().slice(11, 16);
  return `${hours} hours: at ${shown} the clocks go ${day.change.minutes > 0 ? 'on' : 'back'} by ${by}`;
}

/** The nearest time of the clocks that is a whole number of `minutes`. */
export function snap(at: number, zone: string, minutes: number): number {
  const offset = offsetAt(at, zone);
  const local = Math.round((at + offset) / (minutes * MINUTE)) * minutes * MINUTE;
  if (offsetAt(local - offset, zone) === offset) return local - offset;
  return firstAt(new Date(local).toISOString().slice(0, 16), zone);
}

/** So many days and minutes later: days by the clock (the same time of another day), minutes as they pass. */
export function later(at: number, zone: string, days: number, minutes: number): number {
  const text = wallOf(at, zone);
  const day = days === 0 ? at : firstAt(`${addDays(text.slice(0, 10), days)}T${text.slice(11)}`, zone) + (at % MINUTE);
  return day + minutes * MINUTE;
}

/** The hours that a line through the days is marked at: what the clocks show there, each real hour once. */
export function hourMarks(day: Day, zone: string, every: number): { at: number; text: string }[] {
  const marks: { at: number; text: string }[] = [];
  for (let at = day.from; at < day.until; at += 15 * MINUTE) {
    const text = wallOf(at, zone).slice(11);
    if (text.endsWith(':00') && Number(text.slice(0, 2)) % every === 0) marks.push({ at, text });
  }
  return marks;
}
