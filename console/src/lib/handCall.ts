// Whether a call that an operator makes by hand comes: her telephone rings for it, and she answers it. Known by its attempt, which no call
// before it has: one in its wrap-up may be for the same dispatch. Pure.

import type { CallView } from './types';

type Seen = Pick<CallView, 'id' | 'seat' | 'state' | 'job'>;

/** Its attempts are told from those that are made now by having been there before. */
export function attemptsOf(calls: readonly Seen[]): ReadonlySet<string> {
  return new Set(calls.flatMap((call) => (call.job ? [call.job.attempt] : [])));
}

/** Her telephone rings, at most. */
const RINGS: ReadonlySet<Seen['state']> = new Set(['queued', 'offered']);

export type Word =
  /** It is at her seat: to the middle with it. */
  | { kind: 'comes'; call: string }
  /** Her telephone is up: from here on the call says itself what becomes of it. */
  | { kind: 'up' }
  /** It was there, and has ended before that. */
  | { kind: 'gone' };

export class HandCall {
  private call: string | null = null;

  constructor(
    private readonly dispatch: string,
    private readonly operator: string | undefined,
    /** Attempts of calls that were there before she asked for this one. */
    private readonly before: ReadonlySet<string>,
  ) {}

  get hasCome(): boolean {
    return this.call !== null;
  }

  /** What is new, by the calls that there are. */
  read(calls: readonly Seen[]): Word[] {
    const words: Word[] = [];
    if (this.call === null) {
      const found = calls.find((call) => this.isIt(call));
      if (!found) return words;
      this.call = found.id;
      words.push({ kind: 'comes', call: found.id });
    }
    const call = calls.find((one) => one.id === this.call);
    if (!call || call.state === 'ended' || call.seat !== this.operator) words.push({ kind: 'gone' });
    else if (!RINGS.has(call.state)) words.push({ kind: 'up' });
    return words;
  }

  private isIt(call: Seen): boolean {
    const job = call.job;
    return job?.by_hand === true && job.dispatch === this.dispatch && !this.before.has(job.attempt) && call.seat === this.operator && call.state !== 'ended';
  }
}
