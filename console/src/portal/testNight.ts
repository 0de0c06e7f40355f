// A test night as a client reads it: what would happen minute by minute, by the protocol that counts now and by the one that is proposed. Pure.

import type { Outlook, OutlookLine } from '../lib/protocols';
import { addDays } from '../lib/wall';

export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/**
 * The next such day on the account's calendar, today only if the time is still to come: `2026-03-07T02:00`. `wall`: what the
 * account's clock shows, in the same way.
 */
export function nextOn(weekday: number, time: string, wall: string): string {
  const today = wall.slice(0, 10);
  const ahead = (weekday - new Date(`${today}T00:00Z`).getUTCDay() + 7) % 7;
  const passed = ahead === 0 && time <= wall.slice(11, 16);
  return `${addDays(today, passed ? 7 : ahead)}T${time}`;
}

export interface Minute {
  /** `02:15`, with the day where it is another than before. */
  clock: string;
  lines: { text: string; why: string[]; kind: string; otherwise: boolean }[];
}

/** What says nothing to a client: that it began, which they asked for, and that a carrier took what was sent a moment before. */
const UNSAID = new Set(['opened', 'accepted']);

const keyOf = (line: OutlookLine) => `${line.after_secs} ${line.text}`;

/** Lines by the minute they happen in. `beside`: the same night by another protocol; what is not in that is marked. */
export function minutesOf(outlook: Outlook, beside: Outlook | null = null): Minute[] {
  const there = beside && new Set(beside.lines.map(keyOf));
  const minutes: (Minute & { at: string })[] = [];
  let day = outlook.lines[0]?.local.slice(0, 10) ?? '';
  for (const line of outlook.lines) {
    if (UNSAID.has(line.kind)) continue;
    const at = line.local.slice(0, 16);
    let minute = minutes.at(-1);
    if (minute?.at !== at) {
      const date = at.slice(0, 10);
      minute = { at, clock: date === day ? at.slice(11) : `${WEEKDAYS[new Date(`${date}T00:00Z`).getUTCDay()]} ${at.slice(11)}`, lines: [] };
      day = date;
      minutes.push(minute);
    }
    minute.lines.push({ text: line.text, why: line.why, kind: line.kind, otherwise: there !== null && !there.has(keyOf(line)) });
  }
  return minutes.map(({ clock, lines }) => ({ clock, lines }));
}

/** Nothing of that night would be otherwise. */
export function isSame(one: Outlook, other: Outlook): boolean {
  return one.state === other.state && one.lines.length === other.lines.length && one.lines.every((line, n) => keyOf(line) === keyOf(other.lines[n]!));
}

/** How it stands when the time that is looked at is over. */
export function endOf(outlook: Outlook, hours: number): string {
  const after = hours === 1 ? 'After an hour' : `After ${hours} hours`;
  if (outlook.state === 'confirmed') return 'Somebody has confirmed: it is over.';
  if (outlook.state === 'delivered' || outlook.state === 'told') return 'Everybody who was to have it has it: it is over.';
  if (outlook.state === 'held_for_recap') return 'It waits for the recap.';
  if (outlook.state === 'held_for_check_in') return 'It waits until somebody checks in.';
  if (outlook.state === 'recapped') return 'It went out with the recap.';
  if (outlook.needs_operator) return `${after} nobody has it, and an operator is alarmed.`;
  return `${after} it goes on${outlook.cut ? '; more than can be shown here would happen' : ''}.`;
}
