// Spans of time on a line, laid out for the eye, and said in words. Pure; who is on call is the server's to say.

import type { Calendar, Person, Span } from './schedule';
import { addDays, addMonths, daysFrom, mondayOf, type Day } from './wall';
import { clockOnce, day as dayWords } from './time';

export type View = 'day' | 'week' | 'month';

/** The lines that are shown: a day and a week are one, a month is one for each week. */
export function linesOf(view: View, date: string, zone: string): Day[][] {
  if (view === 'day') return [daysFrom(date, 1, zone)];
  if (view === 'week') return [daysFrom(mondayOf(date), 7, zone)];
  const first = addMonths(date, 0);
  const next = addMonths(date, 1);
  const lines: Day[][] = [];
  for (let monday = mondayOf(first); monday < next; monday = addDays(monday, 7)) lines.push(daysFrom(monday, 7, zone));
  return lines;
}

/** The day that another page of the view begins with. */
export function turn(view: View, date: string, by: 1 | -1): string {
  if (view === 'month') return addMonths(date, by);
  return addDays(date, view === 'week' ? 7 * by : by);
}

export interface Extent {
  from: number;
  until: number;
}

export function extentOf(lines: readonly Day[][]): Extent {
  return { from: lines[0]![0]!.from, until: lines.at(-1)!.at(-1)!.until };
}

/** Where a span lies on a line, in parts of a hundred; null if it does not touch it. */
export function placed(span: Extent, line: Extent): { left: number; width: number; cutLeft: boolean; cutRight: boolean } | null {
  const from = Math.max(span.from, line.from);
  const until = Math.min(span.until, line.until);
  if (until <= from) return null;
  const all = line.until - line.from;
  return { left: ((from - line.from) / all) * 100, width: ((until - from) / all) * 100, cutLeft: span.from < line.from, cutRight: span.until > line.until };
}

/** Spans that overlap lie below each other: the row of each, the first free one. */
export function rows(spans: readonly Extent[]): number[] {
  const order = spans.map((span, n) => ({ span, n })).sort((a, b) => a.span.from - b.span.from || b.span.until - a.span.until);
  const ends: number[] = [];
  const found = spans.map(() => 0);
  for (const { span, n } of order) {
    let row = ends.findIndex((end) => end <= span.from);
    if (row < 0) row = ends.length;
    ends[row] = span.until;
    found[n] = row;
  }
  return found;
}

const COLOURS = 10;

/** A colour for each, steady: by whom they are, and no two the same while there are colours left. */
export function coloursOf(people: readonly Person[]): Map<string, number> {
  const taken = new Set<number>();
  const colours = new Map<string, number>();
  for (const { id } of people) {
    let colour = [...id].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7) % COLOURS;
    if (taken.size >= COLOURS) taken.clear();
    while (taken.has(colour)) colour = (colour + 1) % COLOURS;
    taken.add(colour);
    colours.set(id, colour);
  }
  return colours;
}

export function names(people: readonly string[], all: readonly Person[]): string {
  const found = people.map((id) => all.find((p) => p.id === id)?.name ?? 'somebody who is gone');
  if (found.length === 0) return 'Nobody';
  return found.length === 1 ? found[0]! : `${found.slice(0, -1).join(', ')} and ${found.at(-1)}`;
}

/** What is said to a digit that is nobody's: `Nobody has the number 7: 1 Ben Ortiz, 2 Ida Park.` `others`: people whose lines are folded. */
export function sayNumbers(digit: string, crew: readonly Person[], others: number): string {
  const numbered = crew.slice(0, 9).map((person, i) => `${i + 1} ${person.name}`);
  const those = numbered.length ? `: ${numbered.join(', ')}` : ' here';
  return `Nobody has the number ${digit}${those}.${others > 0 && crew.length < 9 ? ' “Everybody of the account” gives the others one.' : ''}`;
}

/** For where there is little room: `Ben O.` */
export function short(name: string): string {
  const parts = name.trim().split(/\s+/);
  return parts.length > 1 ? `${parts[0]} ${parts.at(-1)![0]}.` : name;
}

/** `Sat 02:00`, with the date unless it is in the coming six days: last Saturday and the next are two. */
export function moment(at: number, near: number, zone: string): string {
  const day = dayWords(at, zone);
  return `${at - near > -86_400_000 && at - near < 6 * 86_400_000 ? day.slice(0, 3) : day} ${clockOnce(at, zone)}`;
}

/** `Sat 02:00 to Sat 06:00`; the day is said once where it is one. */
export function period(span: Extent, near: number, zone: string): string {
  return `${moment(span.from, near, zone)} to ${moment(span.until, near, zone)}`;
}

/** `3 days 4 h`, `45 min`. */
export function lasting(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  const rest = minutes % 60;
  const parts = [days ? `${days} ${days === 1 ? 'day' : 'days'}` : '', hours ? `${hours} h` : '', rest ? `${rest} min` : ''].filter(Boolean);
  return parts.join(' ') || '0 min';
}

/** `Nobody from Sat 02:00 to Sat 06:00 (4 h)`: what is not covered, from `now` on. */
export function sayGaps(calendar: Calendar, extent: Extent, now: number): string[] {
  return calendar.gaps
    .filter((gap) => gap.until > Math.max(now, extent.from) && gap.from < extent.until)
    .map((gap) => {
      const open = gap.until >= calendar.until;
      const begun = gap.from <= now;
      const from = begun ? 'now' : `from ${moment(gap.from, now, calendar.zone)}`;
      if (open) return `Nobody ${from} on, as far as this calendar looks`;
      return `Nobody ${from} ${begun ? 'until' : 'to'} ${moment(gap.until, now, calendar.zone)} (${lasting(gap.until - Math.max(now, gap.from))})`;
    });
}

/** `Mon 23`; alone on its line with the month. */
export function dayName(day: Day, view: View): string {
  const options: Intl.DateTimeFormatOptions = { weekday: 'short', day: 'numeric', timeZone: 'UTC' };
  if (view === 'day') options.month = 'short';
  return new Intl.DateTimeFormat('en-GB', options).format(Date.parse(`${day.date}T12:00Z`)).replace(',', '');
}

/** A shift for those who do not see it. */
export function saySpan(span: Span, role: string, all: readonly Person[], near: number, zone: string): string {
  const from = span.starts ? `from ${moment(span.from, near, zone)}` : 'since before';
  const until = span.ends ? `until ${moment(span.until, near, zone)}` : 'and on';
  return `${role}: ${names(span.people, all)} ${from} ${until}, ${lasting(span.until - span.from)}; ${span.why}`;
}

/** `Mon 23 – Sun 29 November 2026`. */
export function title(view: View, date: string): string {
  const words = (text: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }).format(Date.parse(`${text}T12:00Z`)).replace(',', '');
  if (view === 'day') return words(date, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  if (view === 'month') return words(date, { month: 'long', year: 'numeric' });
  const [monday, sunday] = [mondayOf(date), addDays(mondayOf(date), 6)];
  return `${words(monday, { day: 'numeric', month: 'short' })} – ${words(sunday, { day: 'numeric', month: 'short', year: 'numeric' })}`;
}
