// What stands on the desk while there is no line to the server: calls as they were seen last, and nothing that counts on as if it were
// known to. Pure.

/** A blip shorter than this is nobody's business. */
export const UNNOTICED_MS = 1_500;

/** `since`: when the line went, null while it is up. */
export function isCut(since: number | null, now: number): boolean {
  return since !== null && now - since > UNNOTICED_MS;
}

/** Until when what is shown of calls is known. */
export function seenAt(since: number | null, now: number): number {
  return since !== null && isCut(since, now) ? since : now;
}

/** `talking`, or `last seen: talking`. */
export function asSeen(words: string, cut: boolean): string {
  return cut ? `last seen: ${words}` : words;
}
