// Times for the eye. A zone is always named: an operator in one zone reads the clocks of many.

import { firstAt, lastAt, wallOf } from './wall';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let made = formats.get(key);
  if (!made) {
    try {
      made = new Intl.DateTimeFormat('en-GB', options);
    } catch {
      // A zone this browser does not know: the browser's own is better than no time at all.
      made = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: undefined });
    }
    formats.set(key, made);
  }
  return made;
}

/** `02:11`, in `zone` or the browser's own. */
export function clock(at: number, zone?: string): string {
  return format(`c${zone ?? ''}`, { hour: '2-digit', minute: '2-digit', hour12: false, timeZone: zone }).format(at);
}

/** The clock, with the name of its time where it shows the same twice: `01:30 EDT`, and an hour later `01:30 EST`. */
export function clockOnce(at: number, zone?: string): string {
  const shown = clock(at, zone);
  if (!zone) return shown;
  const wall = wallOf(at, zone);
  if (firstAt(wall, zone) === lastAt(wall, zone)) return shown;
  const parts = nameFormat(zone).formatToParts(at);
  return `${shown} ${parts.find((part) => part.type === 'timeZoneName')?.value ?? ''}`.trimEnd();
}

/** American names of American times, as `en-GB` has none for them. */
function nameFormat(zone: string): Intl.DateTimeFormat {
  const key = `n${zone}`;
  let made = formats.get(key);
  if (!made) {
    // A zone that this browser does not know shows nothing twice: it is read as UTC.
    made = new Intl.DateTimeFormat('en-US', { hour: '2-digit', timeZoneName: 'short', timeZone: zone });
    formats.set(key, made);
  }
  return made;
}

/** `02:11:05`. */
export function clockSeconds(at: number, zone?: string): string {
  return format(`s${zone ?? ''}`, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
    timeZone: zone,
  }).format(at);
}

/** `Mon 23 Nov`. */
export function day(at: number, zone?: string): string {
  return format(`d${zone ?? ''}`, { weekday: 'short', day: 'numeric', month: 'short', timeZone: zone }).format(at);
}

/** The clock, with the day when it is another day than `now`'s. */
export function when(at: number, now: number, zone?: string): string {
  const sameDay = day(at, zone) === day(now, zone);
  return sameDay ? clockOnce(at, zone) : `${day(at, zone)} ${clockOnce(at, zone)}`;
}

/** Her own clock beside another where they differ: ` (yours 02:11)`. Not for paper, which others read. */
export function yours(at: number, zone: string): string {
  const here = clock(at);
  return clock(at, zone) === here ? '' : ` (yours ${here})`;
}

/** Both clocks where they differ: `02:11`, or `01:11 (yours 02:11)`. */
export function clockIn(at: number, zone: string): string {
  return `${clock(at, zone)}${yours(at, zone)}`;
}

/**
 * What comes next, as the server says it in the zone of the account (`… by 02:26 EST: …`), with her own clock where it differs:
 * `… by 02:26 EST (yours 01:26): …`.
 */
export function nextWords({ at, text }: { at: number; text: string }, zone: string): string {
  const [there, here] = [clock(at, zone), clock(at)];
  if (there === here) return text;
  return text.replace(new RegExp(`\\b${there}(:\\d\\d)? [A-Za-z0-9+-]+`), (said) => `${said} (yours ${here})`);
}

/** A length that runs: `0:21`, `12:05`, `1:02:09`. */
export function elapsed(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** An age to be read at a glance: `12 s`, `3 min`, `2 h 05`, `3 days`. */
export function age(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min`;
  if (total < 48 * 3600) return `${Math.floor(total / 3600)} h ${String(Math.floor(total / 60) % 60).padStart(2, '0')}`;
  return `${Math.floor(total / 86400)} days`;
}

/** What is left until `at`: `in 14:52`, or `due` once it is past. */
export function countdown(at: number, now: number): string {
  const left = at - now;
  return left > 0 ? `in ${elapsed(left + 999)}` : 'due';
}

/** `until 08:00`, `until Tue 24 Nov 08:00`, or `open-ended`. */
export function until(at: number | null, now: number, zone?: string): string {
  return at === null ? 'open-ended' : `until ${when(at, now, zone)}`;
}

/** A caller who is on hold for longer is spoken of. */
export const HOLD_REMINDER_MS = 45_000;
