// Messages held for check-in: which an account has, and which is read out next. Pure.

import type { Contact, DispatchView, MessageView } from './types';

/** The dispatches of an account whose messages can be read at check-in, the one held longest first. */
export function heldOf(dispatches: readonly DispatchView[], account: string): DispatchView[] {
  return dispatches
    .filter((d) => d.account.id === account && d.closed_at === null && d.held_since !== null)
    .sort((a, b) => a.held_since! - b.held_since!);
}

/** Who called and what for; the feed says it of no held message: whoever reads one asks for it, and that is on record. */
export function headlineOf(dispatch: DispatchView): string {
  return dispatch.headline || 'held for the client, or read out: open it to read it';
}

/** "1 held message", "3 held messages". */
export function heldWords(count: number): string {
  return `${count} held message${count === 1 ? '' : 's'}`;
}

/** Its words are of before a change that the feed tells of. */
export function isOld(message: MessageView, dispatches: readonly DispatchView[]): boolean {
  return dispatches.some((d) => d.message === message.id && d.edition > (message.edition ?? 1));
}

/** The one after the one that is open, the first after the last. */
export function nextHeld(messages: readonly MessageView[], open: string | null): MessageView | undefined {
  return messages[(messages.findIndex((m) => m.id === open) + 1) % Math.max(messages.length, 1)];
}

/** Whose number it is, among an account's people. */
export function personAt(contacts: readonly Contact[], number: string | null): string {
  const theirs = (c: Contact) => c.destinations.some((d) => d.reach.kind === 'phone' && d.reach.address === number);
  return (number && contacts.find(theirs)?.name) || '';
}
