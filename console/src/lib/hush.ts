// Alarms whose sound rests for a while, each by itself. Pure. None rests for good: when its time is over it sounds again, and what
// has got worse sounds at once.

import type { AlarmView, DispatchView } from './types';

export const HUSH_MS = 120_000;

/** Until when each alarm rests, by its name. */
export type Hushed = ReadonlyMap<string, number>;

/** The name of a dispatch's alarm, the same as the server's. */
export const alarmOf = (dispatch: { id: string }): string => `dispatch:${dispatch.id}`;

/** What must be heard: critical alarms, and dispatches that wait for a person. */
export function soundingAlarms(alarms: readonly AlarmView[], troubled: readonly DispatchView[]): string[] {
  const critical = alarms.filter((a) => a.level === 'critical').map((a) => a.id);
  const waiting = troubled.filter((d) => d.urgency === 'urgent' || d.needs_operator).map(alarmOf);
  return [...new Set([...critical, ...waiting])];
}

/** These rest from now on; those whose time is over are forgotten. */
export function hush(hushed: Hushed, alarms: readonly string[], now: number): Hushed {
  const kept = [...hushed].filter(([, until]) => until > now);
  return new Map([...kept, ...alarms.map((alarm): [string, number] => [alarm, now + HUSH_MS])]);
}

/** It sounds again. */
export function wake(hushed: Hushed, alarm: string): Hushed {
  return new Map([...hushed].filter(([name]) => name !== alarm));
}

export function isHushed(hushed: Hushed, alarm: string, now: number): boolean {
  return (hushed.get(alarm) ?? 0) > now;
}
