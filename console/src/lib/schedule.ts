// Schedules as the server sends and takes them, and its doors for them. Times are epoch milliseconds; civil times are text, in the
// zone beside them.

import { query, request } from './api';
import type { AccountRef, Fault, Weekday } from './types';

export type Unit = 'hours' | 'days' | 'weeks' | 'months';

export interface Turn {
  /** On call at once; nobody: a pause, in which the layers below count. */
  people: string[];
  length: { unit: Unit; count: number };
}

export interface TimeWindow {
  days: Weekday[];
  from: string;
  until: string;
}

export interface Layer {
  name: string;
  zone: string | null;
  rotation: { anchor: string; turns: Turn[] };
  windows: TimeWindow[];
  days: 'all' | 'holidays' | 'not_holidays';
  from: number | null;
  until: number | null;
  beside: boolean;
}

export interface OverrideEdit {
  kind: 'only' | 'replace' | 'add' | 'remove';
  contact: string;
  instead_of?: string | null;
  from: number;
  until: number;
  note?: string;
}

export interface Override extends OverrideEdit {
  id: string;
  by: string;
  made_at: number;
}

/** Who was on call from when until when, as it was seen. */
export interface Seen {
  people: string[];
  from: number;
  until: number;
}

/** Overrides changed together: taken out, put back at their old place in the order, made. Refused where somebody else is on call than was `seen`. */
export interface Changes {
  seen?: Seen[];
  remove: string[];
  put_back?: string[];
  add: OverrideEdit[];
}

export interface Temporary {
  name: string;
  from: number;
  until: number;
  shifts: { contact: string; from: number; until: number }[];
  by: string;
  made_at: number;
}

export interface Schedule {
  id: string;
  account: string;
  role: string;
  zone: string;
  /** A later one beats an earlier one. */
  layers: Layer[];
  temporary: Temporary[];
  overrides: Override[];
  fallback: string | null;
  /** Its people are told before their shift and when it begins. */
  remind: boolean;
}

export interface ScheduleEdit {
  edition?: number;
  role: string;
  zone?: string;
  layers: Layer[];
  fallback?: string | null;
  remind?: boolean;
}

export interface Person {
  id: string;
  name: string;
  title: string;
}

export type Source =
  | { kind: 'layer'; layers: number[] }
  | { kind: 'temporary'; name: string }
  | { kind: 'override'; ids: string[] }
  | { kind: 'fallback' }
  | { kind: 'nobody' };

export interface Span {
  people: string[];
  from: number;
  until: number;
  why: string;
  source: Source;
  /** False: it goes on beyond what was asked for. */
  starts: boolean;
  ends: boolean;
}

export interface Calendar {
  schedule: string | null;
  role: string;
  zone: string;
  from: number;
  until: number;
  final: Span[];
  layers: { index: number; name: string; spans: Span[] }[];
  temporary: Span[];
  overrides: (Override & { takes_effect: boolean })[];
  gaps: { from: number; until: number }[];
  conflicts: { from: number; until: number; kind: 'two_roles' | 'does_nothing'; contact: string | null; text: string }[];
}

export interface Duty {
  schedule: string;
  role: string;
  zone: string;
  people: Person[];
  until: number | null;
  why: string;
  source: Source;
  next: { people: Person[]; from: number } | null;
}

export interface HistoryLine {
  seq: number;
  schedule: string;
  role: string;
  at: number;
  by: string;
  what: string;
  lines: { what: string; before: string | null; after: string | null }[];
  undoes: number | null;
  can_undo: boolean;
}

export interface ImportBody {
  edition?: number;
  format: 'csv' | 'ics';
  text: string;
  role: string;
  zone?: string;
  /** What comes first in dates of which the file does not say it. */
  date_order?: DateOrder | undefined;
  dry_run: boolean;
  skip?: boolean;
}

export type DateOrder = 'month_first' | 'day_first';

/** What a file puts out of force. */
export interface Displaced {
  from: number;
  until: number;
  /** What no shift of the file covers, and who is on call then. */
  open: Span[];
  /** When two are on call at once by lines that overlap, the first so many of them. */
  both: Both[];
  odd: OddDate[];
}

/** Two who are on call at once, each by a line of the file. */
export interface Both {
  from: number;
  until: number;
  one: { name: string; line: number };
  other: { name: string; line: number };
}

/** Shifts whose date may be a slip: `days` from the rest, or `days` long. */
export interface OddDate {
  lines: number[];
  from: number;
  until: number;
  kind: 'apart' | 'long';
  days: number;
}

export interface Imported {
  edition: number;
  schedule: Schedule | null;
  /** What an undo names. */
  change: number | null;
  shifts: { contact: string; name: string; from: number; until: number; line: number }[];
  not_understood: { line: number; text: string; why: string }[];
  /** Events that repeat for longer than is read: none of them that begins later was. */
  cut: { line: number; text: string; until: number }[];
  /** Events that were called off where they come from. */
  cancelled: { line: number; text: string; from: number | null }[];
  /** How it was read, where it could have been read otherwise. */
  notes: string[];
  /** A date that may be two: which, is asked. */
  unclear_date: { line: number; text: string; month_first: string; day_first: string } | null;
  displaced: Displaced | null;
  /** Why it could not be stored as it is. */
  refused: Fault[];
  /** None where nothing of it was understood. */
  calendar: Calendar | null;
}

export interface CalendarFeed {
  id: string;
  schedule: string | null;
  contact: string | null;
  made_at: number;
  by: string;
  last_read_at: number | null;
  /** Of a new one alone. */
  path?: string;
}

export interface Schedules {
  edition: number;
  items: Schedule[];
  people: Person[];
  holidays: { name: string; date: string }[];
  zone: string;
}

export interface Shift {
  contact: string;
  from: number;
  until: number;
}

/** `change`: what an undo names; null where nothing is other than it was. */
type Changed = Schedule & { edition: number; change: number | null };

const id = encodeURIComponent;
const of = (account: string) => `/accounts/${id(account)}`;
const at = (schedule: string) => `/schedules/${id(schedule)}`;

/**
 * What the calendar asks for, at the desk as in the portal. `below`: where an account's are; `one`: where one of its schedules is; `feed`:
 * where one of its calendars for other programs is.
 */
const doors = (below: (account: string) => string, one: (account: string, schedule: string) => string, feed: (account: string, feed: string) => string) => ({
  all: (account: string) => request<Schedules>('GET', `${below(account)}/schedules`),
  calendar: (account: string, from: number, until: number) =>
    request<{ edition: number; items: Calendar[]; people: Person[] }>('GET', `${below(account)}/calendar${query({ from, until })}`),
  onCall: (account: string) => request<{ at: number; items: Duty[] }>('GET', `${below(account)}/on_call`),
  change: (account: string, schedule: string, body: Changes) =>
    request<Changed>('POST', `${one(account, schedule)}/changes`, body),
  swap: (account: string, schedule: string, shifts: { one: Shift; other: Shift; seen: Seen[] }) => request<Changed>('POST', `${one(account, schedule)}/swap`, shifts),
  history: (account: string, before?: number) =>
    request<{ items: HistoryLine[] }>('GET', `${below(account)}/schedules/history${query({ before, limit: 50 })}`),
  importShifts: (account: string, body: ImportBody) => request<Imported>('POST', `${below(account)}/schedules/import`, body),
  /** A change by its name: refused if anything but what it left is there now. A client's is an import of theirs. */
  undoChange: (account: string, schedule: string, change: number) => request<unknown>('POST', `${one(account, schedule)}/undo`, { change }),
  feeds: (account: string) => request<{ items: CalendarFeed[] }>('GET', `${below(account)}/schedules/feeds`),
  addFeed: (account: string, body: { schedule: string } | { contact: string }) => request<CalendarFeed>('POST', `${below(account)}/schedules/feeds`, body),
  removeFeed: (account: string, of: string) => request<void>('DELETE', feed(account, of)),
});

export type Doors = ReturnType<typeof doors>;

const portal = (account: string) => `/portal${of(account)}`;
/** A client's: they change who is on call, and no layers. */
export const clientDoors: Doors = doors(
  portal,
  (account, schedule) => `${portal(account)}${at(schedule)}`,
  (account, feed) => `${portal(account)}/schedules/feeds/${id(feed)}`,
);

export const schedules = {
  ...doors(
    of,
    (_, schedule) => at(schedule),
    (_, feed) => `/schedule_feeds/${id(feed)}`,
  ),
  /** What an unsaved schedule would come to. */
  preview: (account: string, body: { id?: string; schedule: ScheduleEdit; from: number; until: number }) =>
    request<Calendar & { people: Person[]; faults: Fault[] }>('POST', `${of(account)}/schedules/preview`, body),
  /** Of every account that has a schedule. */
  everywhere: () => request<{ at: number; items: (Duty & { account: AccountRef })[] }>('GET', '/on_call'),
  add: (account: string, body: ScheduleEdit) => request<Changed>('POST', `${of(account)}/schedules`, body),
  put: (schedule: string, body: ScheduleEdit) => request<Changed>('PUT', at(schedule), body),
  /** A time taken out of its temporary schedules. */
  cut: (schedule: string, body: { edition: number; from: number; until: number }) => request<Changed>('POST', `${at(schedule)}/temporary/cut`, body),
  remove: (schedule: string, edition: number) => request<void>('DELETE', at(schedule), undefined, { 'if-match': `"${edition}"` }),
  /** `change`: refused if anything but what it left is there now. Without it the last one, as of this edition. */
  undo: (schedule: string, which: { change: number } | { edition: number }) => request<unknown>('POST', `${at(schedule)}/undo`, which),
};
