// A part of an account that is edited by itself: what the server has, what is written here, and what to do when both changed.
// Pure; a page holds one for each of its parts.

import { copy, same } from './account';

export interface Part<T> {
  /** What the server had when writing began. */
  base: T;
  value: T;
  /** What the server has now, when that is another than `base` and something is written here. */
  theirs: T | null;
}

export function begin<T>(value: T): Part<T> {
  return { base: copy(value), value: copy(value), theirs: null };
}

export function isDirty<T>(part: Part<T>): boolean {
  return !same(part.base, part.value);
}

/** The server's part as it is now. What is written here stays; that both changed is noted. */
export function follow<T>(part: Part<T>, now: T): Part<T> {
  if (same(part.base, now)) return part.theirs === null ? part : { ...part, theirs: null };
  if (!isDirty(part) || same(part.value, now)) return begin(now);
  return { ...part, theirs: copy(now) };
}

/** `sent` was saved, and the server has it as `now`. What was typed meanwhile stays, upon that. */
export function settle<T>(part: Part<T>, sent: T, now: T): Part<T> {
  return same(part.value, sent) ? begin(now) : { base: copy(now), value: part.value, theirs: null };
}

/** What is written here goes over what the server has: its writer has seen both. */
export function keepMine<T>(part: Part<T>): Part<T> {
  return part.theirs === null ? part : { base: part.theirs, value: part.value, theirs: null };
}

export function takeTheirs<T>(part: Part<T>): Part<T> {
  return begin(part.theirs ?? part.base);
}

/** What was written before a crash, if the server has no longer what it was written upon, too. */
export function restore<T>(kept: string | null, now: T): Part<T> {
  try {
    const found = JSON.parse(kept ?? 'null') as { base: T; value: T } | null;
    if (found && 'base' in found && 'value' in found) return follow({ base: found.base, value: found.value, theirs: null }, now);
  } catch {
    // Not ours, or of another version: what the server has counts.
  }
  return begin(now);
}
