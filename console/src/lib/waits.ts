// How long somebody in the queue waits: from when their call came in, or, of one whom somebody had before, from when they came back. Pure.

import { elapsed } from './time';
import type { Waiting } from './types';

type Waits = Pick<Waiting, 'since' | 'back_since'>;

export function waitsSince(waiting: Waits): number {
  return waiting.back_since ?? waiting.since;
}

/** `0:21`, or `0:21, back in the queue; the call is 21:40 old`. */
export function waitWords(waiting: Waits, now: number): string {
  const waits = elapsed(now - waitsSince(waiting));
  return waiting.back_since == null ? waits : `${waits}, back in the queue; the call is ${elapsed(now - waiting.since)} old`;
}
