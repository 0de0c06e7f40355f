// Hours of an account on the page: the week as a picture, what overlaps, and ways in plain words. Pure. What counts at an
// instant, with all that clocks do, is the server's to say.

import type { CallType, Fault, Flow, FlowNow, FlowOverride, Holiday, Hours, Span, Weekday, Window } from './types';
import { when } from './time';

export const DAYS: readonly { id: Weekday; short: string }[] = [
  { id: 'monday', short: 'Mon' },
  { id: 'tuesday', short: 'Tue' },
  { id: 'wednesday', short: 'Wed' },
  { id: 'thursday', short: 'Thu' },
  { id: 'friday', short: 'Fri' },
  { id: 'saturday', short: 'Sat' },
  { id: 'sunday', short: 'Sun' },
];

const DAY = 24 * 60;
const WEEK = 7 * DAY;

export function minutesOf(time: string): number | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  return found ? Number(found[1]) * 60 + Number(found[2]) : null;
}

/** How long a span is on a day like any other; the same time twice is a day and a night. */
export function lengthOf(span: Span): number | null {
  const [from, until] = [minutesOf(span.from), minutesOf(span.until)];
  if (from === null || until === null) return null;
  return (until - from + DAY) % DAY || DAY;
}

/** A window on one day, in minutes of that day. */
export interface Piece {
  window: number;
  from: number;
  until: number;
}

/** The pieces of each day of the week, what is on top last: of windows that overlap the shorter one counts, then the first. */
export function pictureOf(windows: readonly Window[]): Piece[][] {
  const days: Piece[][] = DAYS.map(() => []);
  const order = windows.map((window, n) => ({ n, length: lengthOf(window) })).filter((w): w is { n: number; length: number } => w.length !== null);
  order.sort((a, b) => b.length - a.length || b.n - a.n);
  for (const { n, length } of order) {
    const window = windows[n]!;
    const from = minutesOf(window.from)!;
    DAYS.forEach((day, at) => {
      if (!window.days.includes(day.id)) return;
      days[at]!.push({ window: n, from, until: Math.min(DAY, from + length) });
      if (from + length > DAY) days[(at + 1) % 7]!.push({ window: n, from: 0, until: from + length - DAY });
    });
  }
  // Whatever began the day before keeps its rank.
  const rank = new Map(order.map(({ n }, at) => [n, at]));
  for (const day of days) day.sort((a, b) => rank.get(a.window)! - rank.get(b.window)!);
  return days;
}

/** Where two windows overlap, and which of them counts there. */
export function overlaps(windows: readonly Window[]): string[] {
  const told: string[] = [];
  for (let a = 0; a < windows.length; a += 1) {
    for (let b = a + 1; b < windows.length; b += 1) {
      const at = firstOverlap(windows[a]!, windows[b]!);
      if (at === null) continue;
      const [one, other] = [windows[a]!, windows[b]!];
      const [long, short] = [lengthOf(one)!, lengthOf(other)!];
      const counts = short < long ? other : one;
      const why = short === long ? 'it stands first' : 'it is shorter';
      told.push(`${name(one)} and ${name(other)} overlap (${DAYS[Math.floor(at / DAY)]!.short} ${clockOf(at % DAY)}): there ${name(counts)} counts, as ${why}.`);
    }
  }
  return told;
}

const name = (window: Window) => (window.name.trim() ? `“${window.name.trim()}”` : 'a window without a name');

function clockOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function firstOverlap(a: Window, b: Window): number | null {
  const [la, lb] = [lengthOf(a), lengthOf(b)];
  if (la === null || lb === null) return null;
  let first: number | null = null;
  for (const x of begins(a)) {
    for (const y of begins(b)) {
      // Where the later of the two begins, if the other is still in force then; a week goes round.
      for (const [at, since, length] of [[x, y, lb], [y, x, la]] as const) {
        if ((at - since + WEEK) % WEEK < length && (first === null || at < first)) first = at;
      }
    }
  }
  return first;
}

function begins(window: Window): number[] {
  const from = minutesOf(window.from)!;
  return DAYS.flatMap((day, at) => (window.days.includes(day.id) ? [at * DAY + from] : []));
}

/** A way in plain words, as a sentence goes on with it. */
export function sayFlow(flow: Flow, types: readonly CallType[]): string {
  switch (flow.kind) {
    case 'queue': {
      const type = types.find((t) => t.id === flow.call_type)?.name;
      const rank = flow.priority === null || flow.priority === undefined ? '' : ` with priority ${flow.priority}`;
      const able = flow.skills?.length ? ` with ${flow.skills.join(' and ')}` : '';
      return `callers wait for an operator${able}${type ? ` as “${type}”` : ''}${rank}`;
    }
    case 'menu':
      return `callers choose from the menu “${flow.menu}”`;
    case 'voicemail':
      return 'callers leave a message after a tone';
    case 'announcement':
      return 'callers hear an announcement, and the call is over';
    case 'check_in':
      return 'the account’s people hear held messages, by PIN';
    case 'patch':
      return `callers are put through to ${flow.whom.map((w) => (w.by === 'role' ? `whoever is on call as ${w.role}` : 'a contact')).join(', then ')}; if nobody takes the call, ${{ queue: 'they wait for an operator', voicemail: 'they leave a message', apology: 'they hear the apology' }[flow.failed.kind]}`;
    case 'spill':
      if (flow.before_answer) {
        return `${flow.number || 'a number elsewhere'} rings before we answer; if nobody takes the call there, we greet the callers, and ${flow.failed === 'queue' ? 'they wait for an operator' : 'they hear the apology'}`;
      }
      return `callers are put through to ${flow.number || 'a number elsewhere'}; if nobody answers there, ${flow.failed === 'queue' ? 'they wait for an operator' : 'they hear the apology'}`;
  }
}

/** What counts now: its name, until when, and why. */
export function sayNow(now: FlowNow, zone: string, types: readonly CallType[]): { what: string; until: string; why: string; then: string } {
  const [kind] = now.why.split(/[ :]/);
  const why =
    kind === 'override'
      ? `somebody has set it for a time (${now.why.slice('override: '.length)})`
      : kind === 'holiday'
        ? 'it is a holiday'
        : kind === 'window'
          ? 'these are its hours'
          : 'no window, holiday or override says otherwise';
  const what = kind === 'override' ? now.why.slice('override: '.length) : (now.window ?? 'the usual');
  const until = now.until === null ? 'for the next seven days at least' : `until ${when(now.until, now.at, zone)}`;
  return { what, until, why, then: sayFlow(now.flow, types) };
}

export function newWindow(): Window {
  return { name: '', days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'], from: '17:00', until: '08:00', greeting: null, flow: { kind: 'queue', priority: null, call_type: null } };
}

export function newHoliday(now: number, zone: string): Holiday {
  return { name: '', date: civil(now, zone).slice(0, 10), span: null, greeting: null, flow: { kind: 'queue', priority: null, call_type: null } };
}

export function newOverride(now: number): FlowOverride {
  const hour = 3_600_000;
  return { from: now, until: now + 8 * hour, reason: '', made_at: now, greeting: null, flow: { kind: 'queue', priority: null, call_type: null } };
}

/** A way of another kind, as it begins. */
export function newFlow(kind: Flow['kind'], types: readonly CallType[], menu: string): Flow {
  const speech = { kind: 'spoken' as const, text: '' };
  switch (kind) {
    case 'queue':
      return { kind, priority: null, call_type: null };
    case 'menu':
      return { kind, menu };
    case 'voicemail':
      return {
        kind,
        speech: { kind: 'spoken', text: 'Please leave your name, your number and your message after the tone.' },
        call_type: types.find((t) => t.urgency === 'routine')?.id ?? types[0]?.id ?? '',
        max_secs: 120,
        silence_secs: 6,
      };
    case 'announcement':
      return { kind, speech };
    case 'check_in':
      return { kind };
    case 'patch':
      return { kind, whom: [], speech: null, failed: { kind: 'queue', priority: null, call_type: null } };
    case 'spill':
      return { kind, number: '', ring_secs: 30, failed: 'queue', before_answer: false };
  }
}

/** A civil time as a `datetime-local` field writes it: what the clocks of `zone` show. */
export function civil(at: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/** The first instant at which the clocks of `zone` show a civil time; in a gap as long after it as it is into the gap. */
export function instant(text: string, zone: string): number | null {
  const wanted = Date.parse(`${text}Z`);
  if (Number.isNaN(wanted)) return null;
  const shift = (at: number) => Date.parse(`${civil(at, zone)}Z`) - Math.floor(at / 60_000) * 60_000;
  // The offset a day before and a day after: around a change of the clocks one of them is right.
  const tries = [shift(wanted - 86_400_000), shift(wanted + 86_400_000)].map((offset) => wanted - offset);
  const right = tries.filter((at) => civil(at, zone) === text.slice(0, 16));
  return right.length ? Math.min(...right) : Math.max(...tries);
}

/** Numbers elsewhere as the server takes them, where they can be understood. */
export function tidiedNumber(written: string): string {
  const digits = written.replace(/[\s().-]/g, '');
  if (/^\d{10}$/.test(digits)) return `+1${digits}`;
  if (/^1\d{10}$/.test(digits)) return `+${digits}`;
  if (/^(00|011)[1-9]\d+$/.test(digits)) return `+${digits.replace(/^(011|00)/, '')}`;
  return digits;
}

const isNumber = (text: string) => /^\+[1-9]\d{2,14}$/.test(text);

const MOST = 4_294_967_295;

/** What a field for a count holds and the server would not even read. An empty one holds nothing. */
export function countFaults(value: unknown, pointer: string): Fault[] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST) return [];
  const detail = typeof value === 'number' ? `${value} is no count.` : 'There is no number here.';
  return [{ pointer, code: 'number', detail, cure: 'Write a whole number, such as 30.' }];
}

/** Numbers that the server would not even read, each at its place. */
export function numberFaults(flow: Flow, pointer: string): Fault[] {
  switch (flow.kind) {
    case 'voicemail':
      return [...countFaults(flow.max_secs, `${pointer}/max_secs`), ...countFaults(flow.silence_secs, `${pointer}/silence_secs`)];
    case 'patch':
      return flow.failed.kind === 'voicemail' ? numberFaults(flow.failed, `${pointer}/failed`) : [];
    case 'spill': {
      const seconds = countFaults(flow.ring_secs, `${pointer}/ring_secs`);
      if (isNumber(tidiedNumber(flow.number))) return seconds;
      return [{ pointer: `${pointer}/number`, code: 'phone', detail: 'This is not a complete telephone number.', cure: 'Write it whole: +12025550101 or 202 555 0101.' }, ...seconds];
    }
    default:
      return [];
  }
}

/** All ways of an account's hours, each with its place. */
export function flowsOf(hours: Hours): [string, Flow][] {
  return [
    ['/hours/usual', hours.usual],
    ...(hours.overdue ? [['/hours/overdue', hours.overdue] as [string, Flow]] : []),
    ...hours.windows.map((w, n): [string, Flow] => [`/hours/windows/${n}/flow`, w.flow]),
    ...hours.holidays.map((d, n): [string, Flow] => [`/hours/holidays/${n}/flow`, d.flow]),
    ...hours.overrides.map((o, n): [string, Flow] => [`/hours/overrides/${n}/flow`, o.flow]),
  ];
}
