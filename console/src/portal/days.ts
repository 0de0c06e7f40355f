// Days and clock times of an account's zone: what a client writes and reads. Pure.

const DAY = 86_400_000;

/** How far the clocks of `zone` are ahead of UTC at that moment. */
function offset(at: number, zone: string): number {
  let format: Intl.DateTimeFormat;
  const options = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  try {
    format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
  } catch {
    format = new Intl.DateTimeFormat('en-GB', options);
  }
  const parts = format.formatToParts(at);
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return shown - Math.floor(at / 1000) * 1000;
}

/** `2026-03-07T08:00` on the clocks of `zone` as a moment. What a change of clocks leaves out is so much later; of two, the first. */
export function momentOf(civil: string, zone: string): number {
  const naive = Date.parse(`${civil}:00Z`);
  const [before, after] = [offset(naive - DAY, zone), offset(naive + DAY, zone)];
  for (const ahead of [before, after]) {
    const at = naive - ahead;
    if (offset(at, zone) === ahead) return at;
  }
  return naive - before;
}

/** A moment as `2026-03-07T08:00` on the clocks of `zone`, as fields for times take it. */
export function civilOf(at: number, zone: string): string {
  return new Date(at + offset(at, zone)).toISOString().slice(0, 16);
}

/** `2026-03-07`: the day it is at `zone`. */
export function dateOf(at: number, zone: string): string {
  return civilOf(at, zone).slice(0, 10);
}

/** So many days on. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** Both days are counted. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY) + 1;
}

/** `since` and `until` of days that are both included. */
export function spanOf(from: string | undefined, to: string | undefined, zone: string): { since?: number; until?: number } {
  return {
    ...(from ? { since: momentOf(`${from}T00:00`, zone) } : {}),
    ...(to ? { until: momentOf(`${addDays(to, 1)}T00:00`, zone) } : {}),
  };
}

/** `Saturday 7 March`; with the year where it is another than this one's. A day of every year: `25 December, every year`. */
export function dateWords(date: string, thisYear?: string): string {
  if (/^\d\d-\d\d$/.test(date)) {
    const at = Date.parse(`2000-${date}T12:00:00Z`);
    return `${new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' }).format(at)}, every year`;
  }
  const year = date.slice(0, 4) === thisYear ? undefined : ('numeric' as const);
  const format = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year, timeZone: 'UTC' });
  return format.format(Date.parse(`${date}T12:00:00Z`)).replace(',', '');
}

/** `Sat 7`: under a bar. */
export function shortDay(date: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', timeZone: 'UTC' });
  return format.format(Date.parse(`${date}T12:00:00Z`));
}
