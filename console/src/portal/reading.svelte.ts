// What is asked of the server, live: the newest answer wins, and a refusal says what to do. One for each thing a page reads or does.

import { untrack } from 'svelte';
import { Problem } from '../lib/api';
import { faultAt } from '../lib/account';
import type { Fault } from '../lib/types';

export class Reading<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<unknown>(null);
  busy = $state(false);
  private asked = 0;

  async load(read: () => Promise<T>): Promise<void> {
    const turn = ++this.asked;
    this.busy = true;
    try {
      const value = await read();
      if (turn !== this.asked) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (turn === this.asked) this.error = error;
    } finally {
      if (turn === this.asked) this.busy = false;
    }
  }
}

/** Something that is done, one at a time. */
export class Doing {
  busy = $state(false);
  error = $state.raw<unknown>(null);
  faults = $state.raw<Fault[]>([]);
  /** What came of it, for the eye and the screen reader. */
  said = $state('');

  /** True if it was done. */
  async run(work: () => Promise<unknown>, said = ''): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.clear();
    try {
      await work();
      this.said = said;
      return true;
    } catch (error) {
      this.error = error;
      this.faults = error instanceof Problem ? error.faults : [];
      return false;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.error = null;
    this.faults = [];
    this.said = '';
  }

  is(code: string): boolean {
    return this.error instanceof Problem && this.error.code === code;
  }

  fault(pointer: string): string | undefined {
    return faultAt(this.faults, pointer);
  }
}

const AGAIN_MS = 30_000;

/** Calls now and every half minute while the page is looked at; clients have no live feed. Ends with the effect that holds it. */
export function whileLooking(look: () => void): () => void {
  // What it looks at is no reason to look again.
  untrack(look);
  const seen = () => document.visibilityState === 'visible' && look();
  const timer = setInterval(seen, AGAIN_MS);
  document.addEventListener('visibilitychange', seen);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', seen);
  };
}
