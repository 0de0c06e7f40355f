// What a drag, a key or a drop on the calendar comes to: which overrides go and which are made. Pure. What was is left as it is,
// so nothing begins before `now`.

import type { Calendar, Changes, Override, OverrideEdit, Person, Span } from './schedule';
import { lasting, moment, names, period, type Extent, type View } from './spans';
import { later, snap } from './wall';

export type Grip = 'start' | 'end' | 'body';

/** Overrides to be taken out and made, in one step, and what that is in words. */
export interface Plan {
  remove: string[];
  add: OverrideEdit[];
  words: string;
}

export type Planned = Plan | { refused: string };

/** How finely what is dragged comes to rest, in minutes. */
export const SNAP: Record<View, number> = { day: 15, week: 60, month: 360 };

/** So near to an edge, in pixels, the pointer means that edge. */
const CATCHES_PX = 5;

/** Where the pointer comes to rest: at an edge of `edges` that it is near to, else at a step of the clocks. Steps stay within reach beside an edge. */
export function restAt(at: number, edges: readonly number[], perPixel: number, view: View, zone: string): number {
  const reach = Math.min(CATCHES_PX * perPixel, (SNAP[view] * 60_000) / 2);
  const near = edges.filter((edge) => Math.abs(edge - at) <= reach);
  return near.length ? near.reduce((best, edge) => (Math.abs(edge - at) < Math.abs(best - at) ? edge : best)) : snap(at, zone, SNAP[view]);
}

/** Where shifts and gaps begin and end. */
export const edgesOf = (calendar: Pick<Calendar, 'final'>): number[] => [...new Set(calendar.final.flatMap((span) => [span.from, span.until]))];

/** A shift by the keys: so many steps to the right, or to the left below zero. */
export function nudged(span: Extent, grip: Grip, steps: number, view: View, zone: string): Extent {
  const go = (at: number) => (view === 'month' ? later(at, zone, steps, 0) : later(at, zone, 0, steps * SNAP[view]));
  return { from: grip === 'end' ? span.from : go(span.from), until: grip === 'start' ? span.until : go(span.until) };
}

/** A shift drawn by so many milliseconds: the edge that is held comes to rest, and a body keeps its length. */
export function drawn(span: Extent, grip: Grip, by: number, edges: readonly number[], perPixel: number, view: View, zone: string): Extent {
  const rest = (at: number, among: readonly number[]) => restAt(at, among, perPixel, view, zone);
  if (grip === 'end') return { from: span.from, until: rest(span.until + by, edges.filter((edge) => edge > span.from)) };
  const from = rest(span.from + by, grip === 'start' ? edges.filter((edge) => edge < span.until) : edges);
  if (grip === 'start') return { from, until: span.until };
  // Its end shows the clocks' time that it showed, also beyond a change of the clocks.
  return { from, until: snap(span.until + (from - span.from), zone, 15) };
}

/** The override that alone makes a span what it is, from end to end. */
function ownOverride(calendar: Calendar, span: Span): Override | null {
  if (span.source.kind !== 'override' || span.source.ids.length !== 1) return null;
  const [id] = span.source.ids;
  const found = calendar.overrides.find((o) => o.id === id);
  return found && found.kind !== 'remove' && found.from === span.from && found.until === span.until ? found : null;
}

const solo = (...spans: (Span | undefined)[]) => spans.every((span) => !span || span.people.length <= 1);

function claim(span: Span, at: Extent, alone: boolean): OverrideEdit[] {
  if (at.until <= at.from) return [];
  return span.people.map((contact): OverrideEdit => ({ kind: alone ? 'only' : 'add', contact, ...at }));
}

function give(span: Span, neighbour: Span, at: Extent, alone: boolean): OverrideEdit[] {
  if (at.until <= at.from) return [];
  if (alone && neighbour.people.length === 1) return [{ kind: 'only', contact: neighbour.people[0]!, ...at }];
  const go = span.people.filter((id) => !neighbour.people.includes(id));
  const come = neighbour.people.filter((id) => !span.people.includes(id));
  return [...go.map((contact): OverrideEdit => ({ kind: 'remove', contact, ...at })), ...come.map((contact): OverrideEdit => ({ kind: 'add', contact, ...at }))];
}

/** Shift `n` of the result from another time to another time: who is before and after it takes what it leaves. */
export function planMove(calendar: Calendar, n: number, to: Extent, now: number, people: readonly Person[]): Planned {
  const span = calendar.final[n];
  if (!span || span.people.length === 0) return { refused: 'Nobody is on call here: drag along the line of somebody who shall be.' };
  if (to.from === span.from && to.until === span.until) return { refused: '' };
  if (to.until <= to.from) return { refused: 'A shift ends after it begins.' };
  if (to.from !== span.from && span.from <= now) return { refused: 'This shift has begun: only its end can be moved.' };
  if (to.from !== span.from && !span.starts) return { refused: 'Where this shift begins is not in sight.' };
  if (to.until !== span.until && !span.ends) return { refused: 'Where this shift ends is not in sight.' };
  if (to.from < Math.min(now, span.from) || to.until < now) return { refused: 'What is past cannot be changed.' };
  const words = sayMove(span, to, now, calendar.zone, people);
  const own = ownOverride(calendar, span);
  const [before, after] = [calendar.final[n - 1], calendar.final[n + 1]];
  if (own) {
    const grows = to.from < own.from || to.until > own.until;
    // Where it grows there may be nobody to replace: then it is this person alone.
    const kind = own.kind === 'replace' && grows ? 'only' : own.kind;
    return { remove: [own.id], add: [{ kind, contact: own.contact, ...(kind === 'replace' ? { instead_of: own.instead_of } : {}), ...to, note: own.note }], words };
  }
  const leavesLeft = { from: span.from, until: Math.min(span.until, to.from) };
  const leavesRight = { from: Math.max(span.from, to.until), until: span.until };
  if ((leavesLeft.until > leavesLeft.from && !before) || (leavesRight.until > leavesRight.from && !after)) {
    return { refused: 'Who comes next is not in sight: go on by a page first.' };
  }
  const alone = solo(span, before, after);
  const add = [
    ...(before ? give(span, before, leavesLeft, alone) : []),
    ...(after ? give(span, after, leavesRight, alone) : []),
    ...claim(span, { from: to.from, until: Math.min(to.until, span.from) }, alone),
    ...claim(span, { from: Math.max(to.from, span.until), until: to.until }, alone),
  ];
  return add.length ? { remove: [], add, words } : { refused: '' };
}

/** Somebody else for a shift; what of it is past stays. `instead`: whose part of it, where several are on call at once. */
export function planAssign(calendar: Calendar, n: number, contact: string, now: number, people: readonly Person[], instead?: string): Planned {
  const span = calendar.final[n];
  if (!span) return { refused: '' };
  const name = names([contact], people);
  if (span.people.includes(contact)) return { refused: `${name} is on call then already.` };
  if (span.until <= now) return { refused: 'What is past cannot be changed.' };
  const at = { from: Math.max(span.from, floorMinute(now)), until: span.until };
  const words = `${name} ${span.people.length ? `in the place of ${names(instead ? [instead] : span.people, people)}` : 'where nobody was'}, ${period(at, now, calendar.zone)}`;
  const several = span.people.length > 1 && instead;
  const add: OverrideEdit = several ? { kind: 'replace', contact, instead_of: instead, ...at } : { kind: 'only', contact, ...at };
  const own = ownOverride(calendar, span);
  if (own && own.from > now && own.kind === 'only') return { remove: [own.id], add: [{ ...add, note: own.note }], words };
  return { remove: [], add: [add], words };
}

/** A new shift, drawn along the line of somebody: in the place of one, or beside several; `alone`: in the place of all of them. */
export function planDraw(calendar: Calendar, contact: string, drawnAt: Extent, now: number, people: readonly Person[], alone = false): Planned {
  const at = { from: Math.max(drawnAt.from, floorMinute(now)), until: drawnAt.until };
  if (at.until <= at.from) return { refused: drawnAt.until <= now ? 'What is past cannot be changed.' : '' };
  const within = calendar.final.filter((span) => span.until > at.from && span.from < at.until);
  if (within.length > 0 && within.every((span) => span.people.length === 1 && span.people[0] === contact)) {
    return { refused: `${names([contact], people)} is on call then already.` };
  }
  const one = within.every((span) => span.people.length <= 1);
  return {
    remove: [],
    add: [{ kind: one || alone ? 'only' : 'add', contact, ...at }],
    words: `${names([contact], people)}${alone && !one ? ' alone' : ''} on call ${period(at, now, calendar.zone)}`,
  };
}

/** Somebody on call as well as who is: nobody gives anything up. */
export function planBeside(calendar: Calendar, contact: string, wanted: Extent, now: number, people: readonly Person[]): Planned {
  const at = { from: Math.max(wanted.from, floorMinute(now)), until: wanted.until };
  if (at.until <= at.from) return { refused: wanted.until <= now ? 'What is past cannot be changed.' : 'A shift ends after it begins.' };
  const name = names([contact], people);
  const within = calendar.final.filter((span) => span.until > at.from && span.from < at.until);
  if (within.length > 0 && within.every((span) => span.people.includes(contact))) return { refused: `${name} is on call then already.` };
  const others = [...new Set(within.flatMap((span) => span.people))].filter((id) => id !== contact);
  const beside = others.length ? ` as well as ${names(others, people)}` : '';
  return { remove: [], add: [{ kind: 'add', contact, ...at }], words: `${name} on call${beside}, ${period(at, now, calendar.zone)}` };
}

/** The override on top of a shift goes, and what is below it counts. */
export function planRemove(calendar: Calendar, n: number, now: number, people: readonly Person[]): Planned {
  const span = calendar.final[n];
  if (!span || span.source.kind !== 'override') {
    if (span?.source.kind === 'temporary') {
      return { refused: `This comes from the temporary schedule “${span.source.name}”, which stands below the calendar: give the shift to somebody else, or end that there.` };
    }
    return { refused: 'This comes from the schedule itself and not from an override: give it to somebody else, or change the schedule.' };
  }
  const id = span.source.ids.at(-1)!;
  const over = calendar.overrides.find((o) => o.id === id);
  return { remove: [id], add: [], words: `Override ${over ? `of ${names([over.contact], people)}, ${period(over, now, calendar.zone)},` : ''} taken out` };
}

/** What takes a plan back, once it is made: `made` are the new overrides, in the order of the plan. */
export function planBack(plan: Pick<Plan, 'remove'>, made: readonly Override[]): Changes {
  return { remove: made.map((o) => o.id), put_back: plan.remove, add: [] };
}

/** `Ben: Mon 08:00 to Mon 09:00, 1 h longer`. */
export function sayMove(span: Span, to: Extent, now: number, zone: string, people: readonly Person[]): string {
  const longer = to.until - to.from - (span.until - span.from);
  const size = longer === 0 ? 'as long as before' : `${lasting(Math.abs(longer))} ${longer > 0 ? 'longer' : 'shorter'}`;
  return `${names(span.people, people)}: ${period(to, now, zone)}, ${size}`;
}

/** The time under the pointer, said while it moves. */
export function sayEdge(grip: Grip, to: Extent, now: number, zone: string): string {
  if (grip === 'body') return period(to, now, zone);
  return grip === 'start' ? `from ${moment(to.from, now, zone)}` : `until ${moment(to.until, now, zone)}`;
}

const floorMinute = (at: number) => Math.floor(at / 60_000) * 60_000;
