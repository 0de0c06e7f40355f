// A change of a calendar whose answer was lost on the way: what is read afterwards says whether it was made, and it can be taken back
// as any other. Pure.

import type { Override, OverrideEdit } from './schedule';
import type { Extent } from './spans';

/** What was sent, and what was there then. */
export interface Lost {
  words: string;
  schedule: string;
  at: number;
  times: readonly Extent[];
  remove: readonly string[];
  add: readonly OverrideEdit[];
  before: ReadonlySet<string>;
}

/** So long a request may be on its way to a server that has not answered. */
const AWAITED_MS = 120_000;

/** The overrides that it has made, in its order; null: it was not made, or not yet. */
export function madeBy(lost: Pick<Lost, 'remove' | 'add' | 'before'>, now: readonly Override[]): Override[] | null {
  if (lost.remove.some((id) => now.some((o) => o.id === id))) return null;
  const left = now.filter((o) => !lost.before.has(o.id));
  const made: Override[] = [];
  for (const edit of lost.add) {
    const at = left.findIndex((o) => isOf(o, edit));
    if (at < 0) return null;
    made.push(...left.splice(at, 1));
  }
  return made;
}

/** Those that may still turn out to have been made. */
export function awaited<T extends Pick<Lost, 'at'>>(lost: readonly T[], now: number): T[] {
  return lost.filter((one) => now - one.at < AWAITED_MS);
}

/** Two people in each other's shifts, as the server makes it. */
export function swapped(one: Pick<OverrideEdit, 'contact' | 'from' | 'until'>, other: Pick<OverrideEdit, 'contact' | 'from' | 'until'>): OverrideEdit[] {
  const taken = (shift: typeof one, by: typeof one): OverrideEdit => ({ kind: 'replace', contact: by.contact, instead_of: shift.contact, from: shift.from, until: shift.until });
  return [taken(one, other), taken(other, one)];
}

function isOf(made: Override, edit: OverrideEdit): boolean {
  const same = made.kind === edit.kind && made.contact === edit.contact && (made.instead_of ?? null) === (edit.instead_of ?? null);
  return same && made.from === edit.from && made.until === edit.until;
}
