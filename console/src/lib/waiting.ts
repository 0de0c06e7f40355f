// Of which waiting caller an operator who has a call is told aloud, and when what she was told is true no more.

/** The queue offers a caller to somebody idle within a moment: until then nobody else is told, as it is nothing to them. */
export const SETTLES_MS = 1_000;

/** What she was told, and whom she may be told of next. */
export interface ToldWaiting {
  /** Who waits, seen first then. */
  seen: { call: string; at: number } | null;
  /** Of whom she was told. */
  told: string | null;
}

export const NOBODY_WAITS: ToldWaiting = { seen: null, told: null };

export type Say = 'tell' | 'take_back' | null;

/** `waiting`: who waits at nobody's seat now. */
export function tellWaiting(state: ToldWaiting, waiting: string | null, now: number): { state: ToldWaiting; say: Say } {
  if (waiting === null) return { state: NOBODY_WAITS, say: state.told === null ? null : 'take_back' };
  const seen = state.seen?.call === waiting ? state.seen : { call: waiting, at: now };
  if (state.told === waiting) return { state: { seen, told: waiting }, say: null };
  // Somebody else is first: of whom she was told before, somebody has seen to.
  if (now - seen.at < SETTLES_MS) return { state: { seen, told: null }, say: state.told === null ? null : 'take_back' };
  return { state: { seen, told: waiting }, say: 'tell' };
}
