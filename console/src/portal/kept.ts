// Where the pages of the portal keep what is being written: in this tab, by who is logged in and by account.

import { Kept } from '../lib/kept';
import { session } from '../state/session.svelte';
import type { ContactEdit, ProtocolBody } from './types';

export function keptAt<T>(account: string, place: string): Kept<T> {
  return new Kept<T>(sessionStorage, session.user?.id ?? '', `${account}.${place}`);
}

/** A proposal to change the protocol of this name, with its note. */
export function proposalAt(account: string, name: string): Kept<{ body: ProtocolBody; note: string }> {
  return keptAt(account, `proposal.${name}`);
}

/** A person who is written, upon which edition; `new`: somebody who is not there yet. */
export function personAt(account: string): Kept<{ contact: string; edition: number; edit: ContactEdit }> {
  return keptAt(account, 'person');
}

/** How this person's name is said, as it is being written: each has a place, so that opening one's form loses no other's words. */
export function saidAt(account: string, contact: string): Kept<string> {
  return keptAt(account, `said.${contact}`);
}
