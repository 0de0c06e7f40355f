// How long somebody in the queue waits: from when their call came in, or, of one whom somebody had before, from when they came back.
// And for what: who is on the line is taken, who is not is rung. Pure.

import { showNumber } from './phone';
import { elapsed } from './time';
import type { CallView, Waiting } from './types';

type Waits = Pick<Waiting, 'since' | 'back_since'>;

export function waitsSince(waiting: Waits): number {
  return waiting.back_since ?? waiting.since;
}

/** `0:21`, or `0:21, back in the queue; the call is 21:40 old`. */
export function waitWords(waiting: Waits, now: number): string {
  const back = backWords(waiting, now);
  return `${elapsed(now - waitsSince(waiting))}${back ? `, ${back}` : ''}`;
}

/** `back in the queue; the call is 21:40 old`, if they are. */
export function backWords(waiting: Waits, now: number): string {
  return waiting.back_since == null ? '' : `back in the queue; the call is ${elapsed(now - waiting.since)} old`;
}

/** Who is on the line and waits, and for whom somebody has to be rung first: these hear nothing, however long it takes. */
export function parted<W extends Pick<Waiting, 'ring_back'>>(waiting: readonly W[]): { onTheLine: W[]; toRing: W[] } {
  return { onTheLine: waiting.filter((w) => !w.ring_back), toRing: waiting.filter((w) => w.ring_back) };
}

/** Who waits beside what stands at this seat, where it is shown, and counted, as a call of hers. */
export function besideHers<W extends Pick<Waiting, 'call'>>(waiting: readonly W[], hers: readonly Pick<CallView, 'id'>[]): W[] {
  return waiting.filter((w) => !hers.some((call) => call.id === w.call));
}

type Queued = Pick<CallView, 'caller' | 'job' | 'rings_back'>;

/** What is to be done for somebody in the queue: `waits`, `to ring back, waits`. */
export function waitsAs(waiting: Pick<Waiting, 'ring_back'>, call: Pick<CallView, 'job' | 'rings_back'> | undefined): string {
  if (call?.job) return `job: call ${call.job.name}, waits`;
  if (call?.rings_back) return `${call.rings_back.name} rings back, waits`;
  return waiting.ring_back ? 'to ring back, waits' : 'waits';
}

/** After the account's name, on the strip of an operator who has a call. */
export function stripWords(call: Queued, ringBack: boolean): string {
  if (call.job) return `: call ${call.job.name}, waits`;
  if (call.rings_back) return `: ${call.rings_back.name} rings back, waits`;
  return ringBack ? `: to ring back ${showNumber(call.caller)}, waits` : ' waits';
}

/** What she says first; nothing is said to nobody. */
export function phraseWords(call: Pick<CallView, 'job' | 'account_brief'>, ringBack: boolean): string {
  if (call.job) return call.job.headline;
  return ringBack ? 'Nobody is on the line: you ring them.' : `“${call.account_brief.answer_phrase}”`;
}

/** What her key does. */
export function takeWords(call: Pick<CallView, 'job'>, ringBack: boolean): 'Call' | 'Ring back' | 'Take' {
  if (call.job) return 'Call';
  return ringBack ? 'Ring back' : 'Take';
}

/** Said aloud to an operator who has a call. `why`: why the caller comes, if there is more to say, with a blank after it. */
export function toldWaiting(call: Pick<CallView, 'account' | 'job'>, ringBack: boolean, why: string): string {
  if (call.job) return `A call to ${call.job.name} for ${call.account.name} waits. F2 takes it.`;
  if (ringBack) return `A caller of ${call.account.name} is to be rung back, nobody is on the line. ${why}F2 rings them.`;
  return `A caller of ${call.account.name} waits. ${why}F2 takes them.`;
}

/** A call that keeps a promise, as long as the caller is not on the line: one who was reached and waits again is. */
export function isToRingBack(call: Pick<CallView, 'id' | 'ring_back'>, waiting: readonly Pick<Waiting, 'call' | 'ring_back'>[]): boolean {
  return !!call.ring_back && waiting.find((w) => w.call === call.id)?.ring_back !== false;
}
