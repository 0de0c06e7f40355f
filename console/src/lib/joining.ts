// Which two calls at a seat become one, and whose record goes on.

import { callerGone } from './hears';
import type { CallView } from './types';

export interface Two {
  /** It goes on. */
  call: CallView;
  /** Its caller becomes the contact of the other. */
  other: CallView;
}

const isFree = (call: CallView): boolean => (call.state === 'talking' || call.state === 'held') && !call.job;
/** Somebody whom a client's caller is waiting for. */
const isContact = (call: CallView): boolean => Boolean(call.rings_back ?? call.dialled);

/**
 * The call she speaks in, or looks at, and the one of the same client that she put on hold last. Who rings back, or was dialled, is the contact; else who came
 * later.
 */
export function toJoin(mine: readonly CallView[], selected: CallView | null): Two | null {
  const free = mine.filter(isFree);
  const one = free.find((call) => call.state === 'talking') ?? free.find((call) => call.id === selected?.id);
  const [two] = free.filter((call) => call !== one && call.account.id === one?.account.id).sort((a, b) => b.state_since - a.state_since);
  if (!one || !two) return null;
  const later = one.started_at > two.started_at ? one : two;
  const other = isContact(one) === isContact(two) ? later : isContact(one) ? one : two;
  return { call: other === one ? two : one, other };
}

/** Two who called are in this call, and to hang it up would lose both: neither was rung by us. */
export function hasTwoCallers(call: CallView): boolean {
  const withHer = ['private', 'held', 'joined'].includes(call.patch?.state ?? '');
  return withHer && Boolean(call.patch?.came_from) && !callerGone(call);
}
