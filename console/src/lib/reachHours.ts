// When a destination is used, and which language a person is best spoken with, in words. Pure. What a step does outside of hours is the
// server's to say; here it is only which of somebody's telephones stands first.

import { isDuring } from './during';
import { DAYS } from './hours';
import type { Weekday } from './types';

export interface ReachWindow {
  days: Weekday[];
  from: string;
  until: string;
}

/** What is offered; any other tag can be written. */
export const LANGUAGES = ['en', 'es', 'fr', 'pt', 'zh', 'vi', 'tl', 'ko', 'ar', 'ru', 'pl', 'ht', 'de', 'it'] as const;

/** The usual hours of an office, to begin with. */
export function officeHours(): ReachWindow {
  return { days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'], from: '08:00', until: '18:00' };
}

export function withDay(window: ReachWindow, day: Weekday, on: boolean): ReachWindow {
  // In the order of the week, whichever was ticked last.
  return { ...window, days: DAYS.map((d) => d.id).filter((id) => (id === day ? on : window.days.includes(id))) };
}

/** `Mon–Fri 08:00–18:00`; several after one another; none: nothing. */
export function hoursWords(hours: readonly ReachWindow[] | undefined): string {
  return (hours ?? []).map((w) => `${daysWords(w.days)} ${w.from === w.until ? 'all day' : `${w.from}–${w.until}`}`).join(', ');
}

function daysWords(days: readonly Weekday[]): string {
  const there = DAYS.map((d, at) => ({ ...d, at })).filter((d) => days.includes(d.id));
  if (there.length === 7) return 'every day';
  const runs: (typeof there)[] = [];
  for (const day of there) {
    const last = runs.at(-1);
    if (last?.at(-1)?.at === day.at - 1) last.push(day);
    else runs.push([day]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]!.short}–${run.at(-1)!.short}` : run.map((d) => d.short).join(', '))).join(', ') || 'on no day';
}

/** Whether `at` is in one of these hours on the clocks of `zone`; none: always. */
export function isOpen(hours: readonly ReachWindow[] | undefined, zone: string, at: number): boolean {
  return !hours?.length || hours.some((window) => isDuring(window, zone, at));
}

/** `Spanish`; a tag that nobody knows as it is; none: nothing. */
export function languageName(tag: string | null | undefined): string {
  if (!tag) return '';
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** What a language changes, where it is written: people go by it, and what the service sends and says by itself does not. */
export function languageNote(tag: string | null | undefined): string {
  if (!tag || /^en(-|$)/i.test(tag)) return '';
  return `Operators see ${languageName(tag)} beside the name. Texts, emails and calls by machine are in English.`;
}
