// A change of a message that is being written: kept in this browser until it is saved or given up, so that whoever leaves the page,
// or loses it, goes on where they were. Pure but for the shelf it is given.

import { isSensitive } from './form';
import type { Answers, Form } from './types';

export interface Change {
  /** The edition that was read when it was begun. */
  edition: number;
  call_type: string;
  caller: string;
  answers: Answers;
  reason: string;
  /** Why it does not go out again. */
  unsent?: string;
  /** What the form does not ask for and was put in, or left out (false), by hand. */
  chosen?: Record<string, boolean>;
}

export type ChangeShelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const nameOf = (user: string, message: string) => `cordboard.change.${user}.${message}`;

/** Keeps it, but for answers that are in no draft either: what is sensitive in one of the forms. */
export function keepChange(shelf: ChangeShelf, user: string, message: string, change: Change, forms: readonly Form[]): void {
  const secret = new Set(forms.flatMap((form) => form.fields).filter((f) => isSensitive(f)).map((f) => f.name));
  const answers = Object.fromEntries(Object.entries(change.answers).filter(([name]) => !secret.has(name)));
  try {
    shelf.setItem(nameOf(user, message), JSON.stringify({ ...change, answers }));
  } catch {
    // Full or forbidden storage: it is here as long as the page is.
  }
}

export function findChange(shelf: ChangeShelf, user: string, message: string): Change | null {
  try {
    const found = JSON.parse(shelf.getItem(nameOf(user, message)) ?? 'null') as Change | null;
    return found && typeof found.edition === 'number' && typeof found.answers === 'object' ? found : null;
  } catch {
    // Not ours, or of another version.
    return null;
  }
}

export function dropChange(shelf: ChangeShelf, user: string, message: string): void {
  shelf.removeItem(nameOf(user, message));
}
