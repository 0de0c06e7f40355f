// Holidays as a client writes them. Pure.

import { copy } from '../lib/account';
import type { PortalHoliday } from './types';

/** A holiday that is being written. */
export interface HolidayRow {
  name: string;
  /** `2026-11-26`: of a day of every year the next one. */
  date: string;
  yearly: boolean;
  wholeDay: boolean;
  from: string;
  until: string;
  /** What callers hear; empty: the usual greeting. A recording stays as it is. */
  greeting: string;
  was: PortalHoliday | null;
}

/** `12-25` as the next such day on or after `today`. */
export function nextOf(day: string, today: string): string {
  const year = Number(today.slice(0, 4));
  for (let y = year; y <= year + 8; y += 1) {
    const date = `${y}-${day}`;
    const real = new Date(`${date}T00:00:00Z`);
    // The 29th of February is not in every year.
    if (!Number.isNaN(real.getTime()) && real.toISOString().slice(0, 10) === date && date >= today) return date;
  }
  return `${year}-${day}`;
}

export function rowOf(holiday: PortalHoliday | null, today: string): HolidayRow {
  const yearly = holiday !== null && /^\d\d-\d\d$/.test(holiday.date);
  return {
    name: holiday?.name ?? '',
    date: holiday ? (yearly ? nextOf(holiday.date, today) : holiday.date) : '',
    yearly,
    wholeDay: !holiday?.span,
    from: holiday?.span?.from ?? '08:00',
    until: holiday?.span?.until ?? '12:00',
    greeting: holiday?.greeting?.kind === 'spoken' ? holiday.greeting.text : '',
    was: holiday && copy(holiday),
  };
}

/** Sent back with what is not shown as it was: which way calls go on that day, a recorded greeting. */
export function holidayOf(row: HolidayRow): PortalHoliday {
  const text = row.greeting.trim();
  const recorded = row.was?.greeting && row.was.greeting.kind !== 'spoken' ? row.was.greeting : null;
  return {
    name: row.name.trim(),
    date: row.yearly ? row.date.slice(5) : row.date,
    span: row.wholeDay ? null : { from: row.from, until: row.until },
    greeting: text ? { kind: 'spoken', text } : recorded,
    like: row.was?.like ?? null,
  };
}

/** What comes next first; what is over goes last. */
export function inOrder(holidays: readonly PortalHoliday[], today: string): { holiday: PortalHoliday; at: number; over: boolean }[] {
  return holidays
    .map((holiday, at) => {
      const date = holiday.date.length === 5 ? nextOf(holiday.date, today) : holiday.date;
      return { holiday, at, date, over: date < today };
    })
    .sort((a, b) => Number(a.over) - Number(b.over) || a.date.localeCompare(b.date))
    .map(({ holiday, at, over }) => ({ holiday, at, over }));
}
