// What a row of the dispatch board says, and since when. Pure. The age beside the words is always of the event that they say.

import { settledWords } from './settled';
import { age, clock, countdown, nextWords } from './time';
import type { DispatchView } from './types';

export interface Said {
  text: string;
  /** When that was; null: it has no age. */
  at: number | null;
  alarm: boolean;
}

type Shown = Pick<DispatchView, 'state' | 'alarm' | 'alarm_at' | 'closed_at' | 'confirmed_by' | 'undo_until' | 'last' | 'ended'>;

/** What it needs a person for, how it ended, or what was done last. */
export function lastSaid(dispatch: Shown, now: number): Said {
  const { alarm, alarm_at, closed_at, undo_until, last, state, ended } = dispatch;
  if (closed_at === null && alarm !== null) return { text: alarm, at: alarm_at ?? null, alarm: true };
  const settled = closed_at === null ? null : settledWords(dispatch);
  if (closed_at !== null && settled) return { text: `${settled} ${clock(closed_at)}.`, at: closed_at, alarm: false };
  if (closed_at !== null && ended) return { text: ended.text, at: closed_at, alarm: false };
  if (undo_until !== null && undo_until > now) {
    return { text: `Opens ${countdown(undo_until, now)}; it can still be taken back.`, at: null, alarm: false };
  }
  return { text: last?.text ?? state.replaceAll('_', ' '), at: last?.at ?? null, alarm: false };
}

/** How it stands where nobody has said yes: what ended it, and not what was told to people afterwards. */
export function standsWords(dispatch: Pick<DispatchView, 'closed_at' | 'ended' | 'last' | 'state'>): string {
  if (dispatch.closed_at !== null && dispatch.ended) return dispatch.ended.text;
  return dispatch.last?.text ?? dispatch.state.replaceAll('_', ' ');
}

/** What the age is of, for whoever asks; beside an alarm, also what was done last and how long ago. */
export function sinceWords(dispatch: Shown, now: number): string {
  const { last } = dispatch;
  if (!lastSaid(dispatch, now).alarm) return 'Since the last thing that was done';
  const done = last && last.text !== dispatch.alarm ? `. Done last, ${age(now - last.at)} ago: ${last.text}` : '';
  return `Since when it needs a person${done}`;
}

export interface Coming {
  /** How long it is until then; empty: it is under way, or has no time. */
  left: string;
  /** Whom and how, where the server says it in few words: a row has room for the beginning alone. */
  text: string;
  /** The whole sentence, for whoever asks. */
  whole: string;
}

/** What comes next. */
export function nextSaid(dispatch: Pick<DispatchView, 'next' | 'next_brief' | 'account'>, now: number): Coming | null {
  const { next, next_brief, account } = dispatch;
  if (next === null) return null;
  const whole = nextWords(next, account.zone);
  return { left: next.at > now || next_brief ? countdown(next.at, now) : '', text: next_brief ?? whole, whole };
}

/** Why nothing but a yes can be done to a dispatch that this colleague works on. */
export function theirsWords(name: string): string {
  return `${name} works on it: ask them, or take it over first`;
}

/** What stands before the reference: that it was left is said only where it was. */
export function referenceWords(dispatch: Pick<DispatchView, 'reference_left'>): string {
  return dispatch.reference_left ? 'Reference left with a request to call back:' : 'Reference:';
}
