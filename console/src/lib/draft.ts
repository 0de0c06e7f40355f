// A form being filled in, and how it is kept: first in this browser at once, then on the server every two seconds
// while it changes. The copy here is believed over the server's until the server has acknowledged it.

import type { Answers, Cursor, DraftBody, ServerDraft } from './types';

export interface Draft {
  id: string;
  account: string;
  call: string | null;
  caller: string | null;
  call_type: string | null;
  answers: Answers;
  cursor: Cursor | null;
  /** What is asked at some hours alone is asked by this clock, however long the talk lasts. */
  begun_at: number;
  /** Counts changes. */
  revision: number;
  /** The revision that the server has. */
  acknowledged: number;
  changed_at: number;
  /** Fields of a protected call type whose words do not go into a message that is not, until she puts them in; with that type's name.
   * Whoever has the form next has it so. */
  apart?: Record<string, string>;
}

export const SAVE_EVERY_MS = 2_000;

/** A fresh, empty draft. The id is made here, so that a save that is repeated makes no second one. */
export function newDraft(
  account: string,
  call: string | null,
  caller: string | null,
  now: number,
  call_type: string | null = null,
): Draft {
  return {
    id: `drf_${crypto.randomUUID()}`,
    account,
    call,
    caller,
    call_type,
    answers: {},
    cursor: null,
    begun_at: now,
    revision: 0,
    acknowledged: 0,
    changed_at: now,
  };
}

export function isUnsaved(draft: Draft): boolean {
  return draft.revision > draft.acknowledged;
}

/** What goes to the server. */
export function draftBody(draft: Draft): DraftBody {
  const body: DraftBody = { account: draft.account, answers: { ...draft.answers }, begun_at: draft.begun_at };
  if (draft.call_type) body.call_type = draft.call_type;
  if (draft.call) body.call = draft.call;
  if (draft.caller) body.caller = draft.caller;
  if (draft.cursor) body.cursor = { ...draft.cursor };
  if (draft.apart && Object.keys(draft.apart).length > 0) body.apart = { ...draft.apart };
  return body;
}

/** A draft as the server has it. */
export function fromServer(draft: ServerDraft): Draft {
  return {
    id: draft.id,
    account: draft.account,
    call: draft.call ?? null,
    caller: draft.caller ?? null,
    call_type: draft.call_type ?? null,
    answers: draft.answers ?? {},
    cursor: draft.cursor ?? null,
    begun_at: draft.begun_at ?? draft.saved_at,
    revision: 1,
    acknowledged: 1,
    changed_at: draft.saved_at,
    ...(draft.apart && Object.keys(draft.apart).length > 0 ? { apart: { ...draft.apart } } : {}),
  };
}

/** A form begun in another browser of hers, with what was typed here before it was known of: one form, and no word of either is lost. */
export function joined(theirs: Draft, ours: Draft | undefined): Draft {
  const typed = Object.entries(ours?.answers ?? {}).filter(([field, words]) => words.trim() !== '' && words.trim() !== theirs.answers[field]?.trim());
  if (!ours || typed.length === 0) return theirs;
  const answers = { ...theirs.answers };
  for (const [field, words] of typed) answers[field] = [answers[field], words].filter((part) => part?.trim()).join(' ');
  const apart = { ...theirs.apart, ...ours.apart };
  return {
    ...theirs,
    ...(Object.keys(apart).length > 0 ? { apart } : {}),
    answers,
    caller: theirs.caller ?? ours.caller,
    cursor: ours.cursor ?? theirs.cursor,
    revision: theirs.revision + 1,
    changed_at: ours.changed_at,
  };
}

/**
 * What to go on with after a reload: a copy in this browser that the server has not acknowledged wins;
 * otherwise the server's. A copy that was acknowledged and is gone from the server was saved or thrown away.
 */
export function mergeDrafts(server: ServerDraft[], local: Draft[]): Draft[] {
  const merged = new Map(server.map((d) => [d.id, fromServer(d)]));
  for (const draft of local) if (isUnsaved(draft)) merged.set(draft.id, draft);
  return [...merged.values()].sort((a, b) => a.changed_at - b.changed_at);
}

/** Where copies are kept in this browser; `localStorage` in life, a Map in tests. */
export interface Shelf {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const PREFIX = 'cordboard.draft.';

/** The copies of one user. */
export class DraftShelf {
  constructor(
    private readonly shelf: Shelf,
    private readonly user: string,
  ) {}

  private name(id: string): string {
    return `${PREFIX}${this.user}.${id}`;
  }

  keep(draft: Draft): void {
    try {
      this.shelf.setItem(this.name(draft.id), JSON.stringify(draft));
    } catch {
      // Full or forbidden storage: the server's copy, two seconds older at most, remains.
    }
  }

  drop(id: string): void {
    this.shelf.removeItem(this.name(id));
  }

  list(): Draft[] {
    const found: Draft[] = [];
    for (let i = 0; i < this.shelf.length; i++) {
      const key = this.shelf.key(i);
      if (!key?.startsWith(`${PREFIX}${this.user}.`)) continue;
      try {
        const draft = JSON.parse(this.shelf.getItem(key) ?? '') as Draft;
        // One of before that was kept.
        found.push({ ...draft, begun_at: draft.begun_at ?? draft.changed_at });
      } catch {
        this.shelf.removeItem(key);
        i--;
      }
    }
    return found;
  }
}

/** Sends a draft when it has changed: at most every two seconds, at once on `flush`, one request at a time. */
export class DraftSaver {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending = false;
  private stopped = false;

  constructor(
    /** The draft as it is now. */
    private readonly current: () => Draft,
    private readonly put: (id: string, body: DraftBody) => Promise<unknown>,
    private readonly onSaved: (revision: number) => void,
    /** `give up` when the server will never take it: the draft became a message elsewhere. */
    private readonly onFailed: (error: unknown) => 'try again' | 'give up',
  ) {}

  touch(): void {
    if (this.stopped || this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.flush(), SAVE_EVERY_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const draft = this.current();
    if (this.stopped || !isUnsaved(draft)) return;
    if (this.sending) {
      this.touch();
      return;
    }
    this.sending = true;
    const revision = draft.revision;
    try {
      await this.put(draft.id, draftBody(draft));
      this.onSaved(revision);
    } catch (error) {
      if (!this.stopped && this.onFailed(error) === 'give up') this.stop();
      this.touch();
    } finally {
      this.sending = false;
    }
    if (isUnsaved(this.current())) this.touch();
  }

  /** After this nothing is sent: the draft became a message, or was thrown away. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}
