// What was thrown away and can still be had back: for ten seconds nothing of it is gone. Pure but for its timers.

export const UNDO_THROW_MS = 10_000;

export interface Thrown<T> {
  what: T;
  until: number;
}

export class Bin<T> {
  private thrown: (Thrown<T> & { timer: ReturnType<typeof setTimeout> })[] = [];

  constructor(
    /** It cannot be had back any more. */
    private readonly gone: (what: T) => void,
    private readonly changed: (thrown: Thrown<T>[]) => void,
  ) {}

  put(what: T, now: number): void {
    const timer = setTimeout(() => {
      this.keep((other) => other.timer !== timer);
      this.gone(what);
    }, UNDO_THROW_MS);
    this.thrown.push({ what, until: now + UNDO_THROW_MS, timer });
    this.keep(() => true);
  }

  /** What was thrown away last is not gone after all. */
  takeLast(): T | undefined {
    const last = this.thrown.at(-1);
    if (!last) return undefined;
    clearTimeout(last.timer);
    this.keep((other) => other !== last);
    return last.what;
  }

  /** Nothing of it will be gone: whoever logs off in those ten seconds finds it again. */
  forget(): void {
    for (const { timer } of this.thrown) clearTimeout(timer);
    this.keep(() => false);
  }

  private keep(which: (thrown: { timer: unknown }) => boolean): void {
    this.thrown = this.thrown.filter(which);
    this.changed(this.thrown.map(({ what, until }) => ({ what, until })));
  }
}
