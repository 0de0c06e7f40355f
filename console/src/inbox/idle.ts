// How long nobody has touched an inbox that is open: it closes when that is too long, though its page asks for news by itself. Pure.

/** What a person does to a page. What it does by itself is none of it. */
export const ACTS = ['pointerdown', 'keydown', 'wheel', 'touchmove'] as const;

/** The service is told of an act so often at most. */
const TELL_MS = 30_000;

export interface Idle {
  /** When it was last touched. */
  readonly touchedAt: number;
  /** When the service was last told so. */
  readonly toldAt: number;
}

export function opened(now: number): Idle {
  return { touchedAt: now, toldAt: now };
}

/** Somebody touched it. `tell`: the service is to hear of it. */
export function touched(idle: Idle, now: number): { idle: Idle; tell: boolean } {
  const tell = now - idle.toldAt >= TELL_MS;
  return { idle: { touchedAt: now, toldAt: tell ? now : idle.toldAt }, tell };
}

/** It has lain there for too long. A clock that was set back counts as too long: nobody knows how long it was. */
export function isOver(idle: Idle, idleSecs: number, now: number): boolean {
  return now - idle.touchedAt >= idleSecs * 1_000 || now < idle.touchedAt;
}
