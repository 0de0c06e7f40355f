// Why a caller comes, in plain words: one line when the call pops and at its head.

import { causeOf, causeWords } from './hears';
import { showNumber } from './phone';
import type { ComesView, TriedView } from './types';

/** `nameOf` says who an operator is. */
export function comesWords(comes: ComesView, nameOf: (user: string) => string): string {
  const said = words(comes, nameOf);
  return said.charAt(0).toUpperCase() + said.slice(1);
}

function words(comes: ComesView, nameOf: (user: string) => string): string {
  const { why } = comes;
  const person = (id: string | null) => comes.contacts.find((c) => c.id === id)?.name ?? null;
  const named = (contact: string | null, number: string) => person(contact) ?? showNumber(number);
  switch (why.kind) {
    case 'nobody_reached':
      return why.tried.length === 0
        ? 'Nobody of the account’s could be rung for this caller.'
        : `Nobody took the call. ${why.tried.map((t) => `${named(t.contact, t.number)} ${tried(t)}`).join(', ')}.`;
    case 'recalled': {
      const contact = named(why.contact, why.number);
      const who = why.by_caller ? 'The caller' : contact;
      return why.there
        ? `${who} pressed * in the patch with ${why.by_caller ? contact : 'the caller'}: both are on the line and hear each other.`
        : `${who} pressed * in the patch${why.by_caller ? `, and ${contact}` : ', and'} has hung up since: the caller is alone.`;
    }
    case 'not_fetched':
      return `Nobody fetched the caller from slot ${why.slot}, where ${nameOf(why.by)} parked them.`;
    case 'fetched':
      return `${nameOf(why.by)} parked this caller at slot ${why.slot}.`;
    case 'transfer_failed':
      return `${nameOf(why.by)} transferred the caller to ${showNumber(why.number)}. ${causeOf('That number', why.why)}.`;
    case 'not_taken':
      return `${nameOf(why.by)} passed the caller on to ${nameOf(why.to)}, who did not take them.`;
    case 'passed_on':
      return `${nameOf(why.by)} passed the caller on.`;
    case 'handed_over':
      return `${nameOf(why.by)} handed the caller over to you.`;
    case 'operator_lost':
      return `The caller was with ${nameOf(why.by)}, whose connection broke.`;
    case 'moved':
      return `${nameOf(why.by)} moved the caller here from ${nameOf(why.from)}.`;
    case 'spill_failed':
      return `The account sends calls to ${showNumber(why.number)} now. ${causeOf('That number', why.why)}.`;
    case 'from_check_in': {
      const wrong = why.wrong_pins === 0 ? '' : `${why.wrong_pins} wrong ${why.wrong_pins === 1 ? 'PIN' : 'PINs'}`;
      if (!why.checked_in) return `Wants a person at check-in; ${wrong === '' ? 'no PIN was entered' : `${wrong}: ask who it is`}.`;
      const name = person(why.contact);
      return `${name ?? 'Somebody with the account’s PIN'} has checked in and wants a person${wrong === '' ? '' : `, after ${wrong}`}.`;
    }
  }
}

function tried({ outcome, why }: TriedView): string {
  if (outcome === 'declined') return 'declined by a key';
  if (outcome === 'not_accepted') return 'answered and pressed no key';
  return causeWords(why);
}
