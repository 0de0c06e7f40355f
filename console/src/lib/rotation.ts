// Layers of a schedule: as they begin, as they are written, and in plain English. Pure.

import { DAYS } from './hours';
import type { Layer, Person, ScheduleEdit, Schedule, TimeWindow, Turn, Unit } from './schedule';
import { moment, names } from './spans';
import type { Weekday } from './types';
import { wallOf } from './wall';

export type Kind = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'custom';

export const KINDS: readonly { id: Kind; label: string; unit: Unit | null }[] = [
  { id: 'hourly', label: 'Hourly', unit: 'hours' },
  { id: 'daily', label: 'Daily', unit: 'days' },
  { id: 'weekly', label: 'Weekly', unit: 'weeks' },
  { id: 'monthly', label: 'Monthly', unit: 'months' },
  { id: 'custom', label: 'Custom: each turn of its own length', unit: null },
];

const same = (turns: readonly Turn[]) => turns.every((t) => t.length.unit === turns[0]!.length.unit && t.length.count === turns[0]!.length.count);

export function kindOf(turns: readonly Turn[]): Kind {
  if (turns.length === 0) return 'weekly';
  if (!same(turns)) return 'custom';
  return KINDS.find((kind) => kind.unit === turns[0]!.length.unit)!.id;
}

/** The same people, in turns of another kind. */
export function asKind(turns: readonly Turn[], kind: Kind): Turn[] {
  const unit = KINDS.find((k) => k.id === kind)!.unit;
  if (unit === null) return turns.map((turn) => ({ ...turn, length: { ...turn.length } }));
  const count = unit === 'hours' ? 12 : 1;
  return turns.map(({ people }) => ({ people, length: { unit, count } }));
}

/** `list` with what was at `from` at `to`. */
export function reordered<T>(list: readonly T[], from: number, to: number): T[] {
  const left = list.filter((_, n) => n !== from);
  const item = list[from];
  return item === undefined ? [...list] : [...left.slice(0, to), item, ...left.slice(to)];
}

/** A layer as it begins: a week each, changing next Monday at eight; turns go round before that too. */
export function newLayer(name: string, now: number, zone: string): Layer {
  const today = wallOf(now, zone).slice(0, 10);
  const day = new Date(`${today}T00:00Z`);
  day.setUTCDate(day.getUTCDate() + ((8 - day.getUTCDay()) % 7 || 7));
  return {
    name,
    zone: null,
    rotation: { anchor: `${day.toISOString().slice(0, 10)}T08:00`, turns: [] },
    windows: [],
    days: 'all',
    from: null,
    until: null,
    beside: false,
  };
}

export function editOf(schedule: Schedule | null, zone: string, now: number): ScheduleEdit {
  if (!schedule) return { role: '', zone, layers: [newLayer('Rotation', now, zone)], fallback: null, remind: false };
  const { role, layers, fallback, remind } = schedule;
  return { role, zone: schedule.zone, layers, fallback, remind };
}

/** `New York time`. */
export function zoneWords(zone: string): string {
  const city = zone.split('/').at(-1)!.replaceAll('_', ' ');
  return zone.includes('/') ? `${city} time` : zone;
}

/** A moment in the zone that all times of a page are of, with another zone's own beside it where it differs: `Sun 15:00 (Mon 08:00 Lord Howe time)`. */
export function momentIn(at: number, near: number, zone: string, own: string): string {
  const [here, there] = [moment(at, near, zone), moment(at, near, own)];
  return here === there ? here : `${here} (${there} ${zoneWords(own)})`;
}

/** `Mon–Fri`, `Sat and Sun`, `every day`. */
export function dayWords(days: readonly Weekday[]): string {
  const at = DAYS.map((day, n) => (days.includes(day.id) ? n : -1)).filter((n) => n >= 0);
  if (at.length === 7) return 'every day';
  if (at.length === 0) return 'on no day';
  const [first, last] = [at[0]!, at.at(-1)!];
  if (at.length > 2 && last - first === at.length - 1) return `${DAYS[first]!.short}–${DAYS[last]!.short}`;
  const said = at.map((n) => DAYS[n]!.short);
  return said.length === 1 ? said[0]! : `${said.slice(0, -1).join(', ')} and ${said.at(-1)}`;
}

export function windowWords(window: TimeWindow): string {
  const night = window.until <= window.from ? (window.until === window.from ? ' the next day (24 hours)' : ' the next day') : '';
  return `${dayWords(window.days)} ${window.from} to ${window.until}${night}`;
}

const WEEKDAYS = ['Sundays', 'Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays'];

function ordinal(n: number): string {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

/** `weekly, changing Mondays 08:00`. */
function rhythm({ unit, count }: Turn['length'], anchor: string): string {
  const clock = anchor.slice(11, 16);
  const weekday = WEEKDAYS[new Date(`${anchor.slice(0, 10)}T00:00Z`).getUTCDay()] ?? '';
  const weeks = unit === 'weeks' ? count : unit === 'days' && count % 7 === 0 ? count / 7 : 0;
  if (weeks) return `${weeks === 1 ? 'weekly' : `every ${weeks} weeks`}, changing ${weekday} ${clock}`;
  if (unit === 'months') return `${count === 1 ? 'monthly' : `every ${count} months`}, changing on the ${ordinal(Number(anchor.slice(8, 10)))} at ${clock}`;
  if (unit === 'days') return `${count === 1 ? 'daily' : `every ${count} days`}, changing at ${clock}`;
  if (count === 24) return `every 24 hours, changing at ${clock}`;
  return `${count === 1 ? 'hourly' : `every ${count} hours`}, counted from ${clock}`;
}

function together(turn: Turn, people: readonly Person[]): string {
  if (turn.people.length === 0) return 'nobody (a pause)';
  return turn.people.length === 1 ? names(turn.people, people) : `${names(turn.people, people)} together`;
}

const long = ({ unit, count }: Turn['length']) => `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;

/** `Ben and Ana take turns weekly, changing Mondays 08:00 New York time; only Mon–Fri 17:00 to 08:00 the next day.` */
export function sayLayer(layer: Layer, people: readonly Person[], zone: string): string {
  const { turns, anchor } = layer.rotation;
  const where = zoneWords(layer.zone ?? zone);
  let said: string;
  if (turns.length === 0) said = 'Nobody yet: add somebody';
  else if (turns.length === 1) said = `${together(turns[0]!, people)}, always`;
  else if (same(turns)) {
    const simple = turns.every((t) => t.people.length === 1);
    const who = simple ? names(turns.map((t) => t.people[0]!), people) : turns.map((t) => together(t, people)).join(', then ');
    said = `${who} take turns ${rhythm(turns[0]!.length, anchor)} ${where}`;
  } else {
    const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' }).format(Date.parse(`${anchor.slice(0, 10)}T12:00Z`));
    said = `In turn ${turns.map((t) => `${together(t, people)} for ${long(t.length)}`).join(', then ')}, counted from ${day} ${anchor.slice(11, 16)} ${where}`;
  }
  const limits = [
    layer.windows.length ? `only ${layer.windows.map(windowWords).join(', and ')}` : '',
    layer.days === 'holidays' ? 'only on holidays' : layer.days === 'not_holidays' ? 'not on holidays' : '',
    layer.from !== null ? `from ${wallOf(layer.from, layer.zone ?? zone).replace('T', ' ')}` : '',
    layer.until !== null ? `until ${wallOf(layer.until, layer.zone ?? zone).replace('T', ' ')}` : '',
    layer.beside ? 'together with whom the layers below say' : '',
  ].filter(Boolean);
  return `${[said, ...limits].join('; ')}.`;
}

/** The whole of a schedule, what counts most first. */
export function saySchedule(edit: ScheduleEdit, people: readonly Person[]): string[] {
  const zone = edit.zone ?? 'UTC';
  const layers = [...edit.layers].reverse().map((layer) => `${layer.name.trim() || 'A layer without a name'}: ${sayLayer(layer, people, zone)}`);
  const last = edit.fallback ? `Where that leaves nobody: ${names([edit.fallback], people)}.` : 'Where that leaves nobody, nobody is on call.';
  return [...layers, last];
}
