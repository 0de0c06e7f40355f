// Presses in quick succession are one: the second is of what was seen at the first, however the row was drawn anew between them. The server
// then refuses it, and says so. Pure.

/** So soon after another nobody has read what stands there now. */
export const ONE_PRESS_MS = 1_000;

export class Presses {
  private last: { of: string; moves: number | undefined; at: number } | null = null;

  /** The `moves` to act on, of a dispatch that shows `moves` as it is pressed, at `now`. */
  seen(of: string, moves: number | undefined, now: number): number | undefined {
    const last = this.last?.of === of && now - this.last.at < ONE_PRESS_MS ? this.last : null;
    this.last = { of, moves: last ? last.moves : moves, at: now };
    return this.last.moves;
  }
}
