// A caller whom somebody else took from this desk, perhaps while she typed: who has them now, and where the form is.

import { loggedOutBy } from './sentHome';
import type { CallView, FeedEvent } from './types';

export interface Away {
  call: string;
  account: CallView['account'];
  /** Who has the call now, if anybody has it yet. */
  to: string | null;
  /** Who moved it, if somebody did. */
  by: string | null;
  /** The caller has left since, and nobody had taken them. */
  over: boolean;
  /** Words of hers stood in its form. */
  typed: boolean;
}

/** In these her part is done: that the call leaves the desk is the end of her wrap-up, unless another operator has it. */
const OVER: ReadonlySet<string> = new Set(['wrap_up', 'patched', 'check_in']);

/** Who has a call of hers that goes on without her; null: it is hers still, over, or she gave it away herself. */
export function takenFrom(old: CallView, now: CallView | undefined, me: string | undefined): Pick<Away, 'to' | 'by'> | null {
  if (old.seat !== me || old.state === 'offered' || !now || now.state === 'ended' || now.seat === me) return null;
  const why = now.comes?.why;
  if (why && 'by' in why && why.by === me && why.kind !== 'operator_lost') return null;
  if (why?.kind === 'moved' && why.from === me) return { to: now.seat, by: why.by };
  const goesOn = now.seat !== null || (now.state === 'queued' && !OVER.has(old.state));
  return goesOn ? { to: now.seat, by: null } : null;
}

/** The same a moment later, when somebody else has the call, or nobody any more. */
export function followed(away: Away, now: CallView | undefined): Away {
  const goesOn = now && now.state !== 'ended';
  const to = (goesOn && now.seat) || away.to;
  return { ...away, to, over: !goesOn && to === null };
}

/** `unsent`: of what was typed, the last is not on the server. */
export function awayWords({ account, to, by, over, typed }: Away, unsent: boolean, nameOf: (user: string) => string): string {
  const moved = by ? ` (moved by ${nameOf(by)})` : '';
  const form = !typed ? '' : unsent ? '; your last words have not reached the server yet' : '; your form went with it';
  if (to) return `${nameOf(to)} has the call of ${account.name} now${moved}${form}.`;
  return over
    ? `The call of ${account.name} was taken from your desk${moved}, and is over.`
    : `The call of ${account.name} waits for another operator now${moved}${form}.`;
}

/** Somebody logged her out, at once or when this call is done; null: nothing new of that kind. */
export function loggedOutWords(event: FeedEvent, me: string | undefined, before: string | null | undefined): string | null {
  if (event.type !== 'seat' || event.seat.user.id !== me || event.seat.reason === before) return null;
  const by = loggedOutBy(event.seat);
  if (!by) return null;
  const after = event.seat.state === 'not_ready' || event.seat.state === 'offline' ? '' : ' after this one';
  return `${by} logged you out: no more calls come to you${after}.`;
}
