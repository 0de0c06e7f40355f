// What a file of shifts comes to, in words, before it is stored: what it displaces, who is on call where it says nothing, and which
// of its dates may be slips. Pure; what was understood is the server's to say.

import type { Both, Displaced, OddDate, Person, Span } from './schedule';
import { lasting, names } from './spans';
import { clockOnce, day } from './time';
import type { Fault } from './types';
import { wallOf } from './wall';

/** `1 shift`, `5 shifts`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `Sun 14 Mar 2027 08:00`: with the year, as that is what may be wrong. */
export function dated(at: number, zone: string): string {
  return `${day(at, zone).replace(',', '')} ${wallOf(at, zone).slice(0, 4)} ${clockOnce(at, zone)}`;
}

const stretch = (span: { from: number; until: number }, zone: string) => `${dated(span.from, zone)} to ${dated(span.until, zone)}`;

/** From when until when the file stands in place of everything else. `layered`: there is something that it displaces. */
export function sayDisplaced(displaced: Displaced, layered: boolean, zone: string): string {
  const rest = layered ? 'the rotation and all other layers do not count then' : 'there is no rotation beneath it';
  return `From ${dated(displaced.from, zone)} until ${dated(displaced.until, zone)} (${lasting(displaced.until - displaced.from)}) this file alone says who is on call: ${rest}.`;
}

/** Who is on call where the file says nothing. */
export function sayOpen(span: Span, people: readonly Person[], zone: string): string {
  const who =
    span.source.kind === 'fallback'
      ? `${names(span.people, people)}, who stands in (the fallback)`
      : span.people.length === 0
        ? 'nobody'
        : `${names(span.people, people)} (${span.why})`;
  return `${stretch(span, zone)} (${lasting(span.until - span.from)}): ${who}`;
}

/** `Ben Ortiz (line 4) and Maya Lindqvist (line 9), Fri 4 Dec 2026 00:00 to Fri 4 Dec 2026 09:00 (9 h)`: both are on call. */
export function sayBoth(both: Both, zone: string): string {
  const { one, other } = both;
  return `${one.name} (line ${one.line}) and ${other.name} (line ${other.line}), ${stretch(both, zone)} (${lasting(both.until - both.from)})`;
}

/** How long that is altogether. */
export function openFor(displaced: Displaced): string {
  return lasting(displaced.open.reduce((sum, span) => sum + span.until - span.from, 0));
}

const NAMED = 5;

/** `Line 6`, `Lines 2 and 6`, `Lines 2, 3, 4, 5, 6 and 12 more`. */
function lines(of: readonly number[]): string {
  if (of.length === 1) return `Line ${of[0]}`;
  if (of.length > NAMED + 1) return `Lines ${of.slice(0, NAMED).join(', ')} and ${of.length - NAMED} more`;
  return `Lines ${of.slice(0, -1).join(', ')} and ${of.at(-1)}`;
}

export function sayOdd(odd: OddDate, zone: string): string {
  const one = odd.lines.length === 1;
  if (odd.kind === 'long') return `${lines(odd.lines)} lasts ${counted(odd.days, 'day')}, from ${stretch(odd, zone)}. Is its end right?`;
  return `${lines(odd.lines)} (${stretch(odd, zone)}) ${one ? 'lies' : 'lie'} ${counted(odd.days, 'day')} away from the rest. ${one ? 'Is its date' : 'Are their dates'} right?`;
}

/** Events that are no shifts any more: the first few by their lines. */
export function sayCancelled(cancelled: readonly { line: number; text: string; from: number | null }[], zone: string): string {
  const told = cancelled.slice(0, NAMED).map((one) => `line ${one.line} “${one.text}”${one.from === null ? '' : `, ${dated(one.from, zone)}`}`);
  const more = cancelled.length > NAMED ? ` and ${cancelled.length - NAMED} more` : '';
  return `${counted(cancelled.length, 'event')} ${cancelled.length === 1 ? 'was' : 'were'} cancelled in that calendar and ${cancelled.length === 1 ? 'is no shift' : 'are no shifts'}: ${told.join('; ')}${more}.`;
}

/** Why it cannot be imported, each reason once, with what to do. */
export function sayRefused(refused: readonly Pick<Fault, 'detail' | 'cure'>[]): string[] {
  return [...new Set(refused.map((fault) => `It cannot be imported like this: ${fault.detail} ${fault.cure}`))];
}
