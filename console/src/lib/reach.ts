// Whom an operator may ring or have texted: who was asked first, then who is on call, then everybody else of the account. Pure.

import { hoursWords, isOpen, languageName } from './reachHours';
import { until } from './time';
import type { Account, PatchOffer } from './types';

export type Asked = Pick<PatchOffer, 'contact' | 'destination'>;

export interface Choice {
  key: string;
  name: string;
  label: string;
  number: string;
  note: string;
  on_call: boolean;
  asked: boolean;
  contact: string;
  destination: string;
  blocked: boolean;
  /** Outside of its hours; empty: not. */
  closed: string;
  language: string;
}

/**
 * `asked` null: it is not known yet, and nobody is listed: who stands first is whom Enter rings. `minute`: the time by which hours are read,
 * so that the list does not move with each second.
 */
export function whomToReach(account: Account | undefined, asked: readonly Asked[] | null, now: number, minute: number): Choice[] {
  if (!account || !asked) return [];
  const all = account.contacts.flatMap((contact) => {
    const duty = account.on_call.find((d) => d.contact?.id === contact.id);
    return contact.destinations
      .filter((d) => d.reach.kind === 'phone')
      .map((d) => ({
        key: `${contact.id} ${d.id}`,
        name: contact.name,
        label: d.label,
        number: d.reach.address,
        asked: asked.some((o) => o.contact.id === contact.id && o.destination === d.label),
        note: duty ? `${duty.role} on call ${until(duty.until, now, account.zone)}` : contact.title,
        on_call: duty !== undefined,
        contact: contact.id,
        destination: d.id,
        blocked: d.blocked,
        closed: isOpen(d.hours, contact.zone ?? account.zone, minute) ? '' : `only ${hoursWords(d.hours)}`,
        language: languageName(contact.language),
      }));
  });
  return all.sort((a, b) => Number(b.asked) - Number(a.asked) || Number(b.on_call) - Number(a.on_call) || Number(a.closed !== '') - Number(b.closed !== ''));
}
