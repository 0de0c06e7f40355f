// People of an account as a client writes them: one record each, the ways to reach them in the order in which they are tried. Pure.

import { copy } from '../lib/account';
import type { ContactEdit, PortalContact, Reach } from './types';

/** What clients add by themselves; pagers and own systems are set up by the service. */
export const KINDS: readonly Reach[] = ['phone', 'email', 'fax'];

/** A person to be written; none: somebody new. */
export function editOf(contact: PortalContact | null): ContactEdit {
  if (!contact) return { name: '', title: '', language: null, zone: null, destinations: [newWay([])] };
  return {
    name: contact.name,
    title: contact.title,
    language: contact.language,
    zone: contact.zone,
    destinations: contact.destinations.map((d) => ({ id: d.id, label: d.label, reach: copy(d.reach), ring_secs: d.ring_secs, hours: copy(d.hours) })),
  };
}

type Way = ContactEdit['destinations'][number];

/** Another way to reach somebody, under a name that is not taken. */
export function newWay(there: readonly Way[]): Way {
  const label = ['mobile', 'email', 'office', 'home', 'fax'].find((l) => !there.some((d) => d.label === l)) ?? '';
  const kind: Reach = label === 'email' || label === 'fax' ? label : 'phone';
  return { label, reach: { kind, address: '' }, ring_secs: 30, hours: [] };
}

/** Ways that were verified and will have to be again, as they lead elsewhere: by name. */
export function unverifiedBy(contact: PortalContact, edit: ContactEdit): string[] {
  return contact.destinations
    .filter((was) => was.verified !== null)
    .filter((was) => {
      const now = edit.destinations.find((d) => d.id === was.id);
      return now !== undefined && (now.reach.kind !== was.reach.kind || now.reach.address.trim() !== was.reach.address);
    })
    .map((was) => was.label);
}

/** Ways that would be gone: those are asked about before they go. */
export function goneWays(contact: PortalContact, edit: ContactEdit): { id: string; label: string }[] {
  return contact.destinations.filter((was) => !edit.destinations.some((d) => d.id === was.id)).map(({ id, label }) => ({ id, label }));
}
