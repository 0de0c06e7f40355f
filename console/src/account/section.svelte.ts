// One part of the page, live: what is written survives a crash, is saved by itself, and can be taken back for a moment.

import { tick } from 'svelte';
import { Problem } from '../lib/api';
import { copy, faultAt } from '../lib/account';
import { begin, follow, isDirty, keepMine, restore, settle, takeTheirs, type Part } from '../lib/section';
import type { Fault } from '../lib/types';
import { notices } from '../state/notices.svelte';

const UNDO_MS = 10_000;

export interface SectionOptions<T> {
  title: string;
  /** Where what is written is kept in this browser. */
  key: string;
  now: T;
  /** Sends `value`; throws a `Problem` if it was refused. */
  send: (value: T) => Promise<void>;
  /** Reads the account anew. */
  reload: () => Promise<void>;
  /** What is written here, with what only the server gives: names of things that were new in `now`. */
  adopt?: (value: T, now: T) => T;
  /** False where a save cannot be taken back: a version of a protocol stays. */
  undoable?: boolean;
}

export class Section<T> {
  private part = $state<Part<T>>() as Part<T>;
  faults = $state.raw<Fault[]>([]);
  saving = $state(false);
  /** What was there before the last save, for a moment. */
  before = $state.raw<T | null>(null);
  /** When that save was; of several the last is the one to take back. */
  savedAt = 0;
  /** What was saved just now, until the server's own words for it are here. */
  private sent: T | null = null;
  /** That the last save was refused, as long as that is shown. */
  private refused = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly dirty = $derived.by(() => isDirty(this.part));
  readonly behind = $derived.by(() => this.part.theirs !== null);

  constructor(readonly options: SectionOptions<T>) {
    this.part = restore(localStorage.getItem(options.key), options.now);
  }

  get title(): string {
    return this.options.title;
  }

  get value(): T {
    return this.part.value;
  }

  set value(value: T) {
    this.part.value = value;
  }

  /** What the server had when writing began. */
  get base(): T {
    return this.part.base;
  }

  /** What the server has now. */
  follow(now: T): void {
    const part = $state.snapshot(this.part) as Part<T>;
    if (this.sent === null) {
      this.part = follow(part, now);
      return;
    }
    const { adopt } = this.options;
    this.part = settle(adopt ? { ...part, value: adopt(part.value, now) } : part, adopt ? adopt(this.sent, now) : this.sent, now);
    this.keep();
  }

  /** Called whenever something was written: it is here after a crash. */
  keep(): void {
    const { base, value } = $state.snapshot(this.part) as Part<T>;
    if (this.dirty) localStorage.setItem(this.options.key, JSON.stringify({ base, value }));
    else localStorage.removeItem(this.options.key);
  }

  fault(pointer: string): string | undefined {
    return faultAt(this.faults, pointer);
  }

  discard(): void {
    this.part = begin($state.snapshot(this.part.base) as T);
    this.faults = [];
    this.keep();
  }

  takeTheirs(): void {
    this.part = takeTheirs($state.snapshot(this.part) as Part<T>);
    this.faults = [];
    this.keep();
  }

  keepMine(): void {
    this.part = keepMine($state.snapshot(this.part) as Part<T>);
    this.keep();
  }

  async save(): Promise<boolean> {
    if (!this.dirty || this.saving) return false;
    if (this.behind) {
      notices.show(`${this.title} was changed by somebody else meanwhile: choose which to keep.`);
      return false;
    }
    const before = $state.snapshot(this.part.base) as T;
    const said = `${this.title} saved.`;
    if (!(await this.push($state.snapshot(this.part.value) as T, true))) return false;
    if (this.options.undoable !== false) {
      this.offerUndo(before);
      notices.say(said);
    } else {
      // There is no line of it that can be taken back, and its form is closed.
      notices.show(said, 'info');
    }
    return true;
  }

  /** Takes the last save back. */
  async undo(): Promise<void> {
    const before = this.before;
    if (before === null) return;
    this.before = null;
    if (await this.push(copy(before), false)) notices.say(`${this.title} is as it was.`);
  }

  private offerUndo(before: T): void {
    clearTimeout(this.timer);
    this.savedAt = Date.now();
    this.before = before;
    this.timer = setTimeout(() => (this.before = null), UNDO_MS);
  }

  private async push(value: T, again: boolean): Promise<boolean> {
    this.saving = true;
    try {
      await this.options.send(value);
      this.faults = [];
      notices.withdraw(this.refused);
      // What she has typed since it was sent is not lost by the answer.
      this.part = settle($state.snapshot(this.part) as Part<T>, value, value);
      this.keep();
      this.sent = value;
      await this.options.reload();
      await tick();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'account.stale' && again) {
        // Perhaps only another part was changed: then ours goes on top of that.
        await this.options.reload();
        this.saving = false;
        return this.behind ? false : this.push(value, false);
      }
      this.faults = error.faults;
      const words = error.offline ? 'The server cannot be reached. What you wrote is kept.' : error.message;
      notices.withdraw(this.refused);
      this.refused = `Not saved: ${words}`;
      notices.show(this.refused);
      return false;
    } finally {
      this.sent = null;
      this.saving = false;
    }
  }
}
