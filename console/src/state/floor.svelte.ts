// The supervisor's floor: every seat and the figures of today, beside what the feed tells each console; and the one call
// that the supervisor listens to.

import { Problem, api } from '../lib/api';
import { canListen, listening, MODE_WORDS, overWords } from '../lib/floor';
import type { CallView, FeedEvent, FiguresView, FloorView, ListenMode, SeatView } from '../lib/types';
import type { FeedState } from '../lib/reduce';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';
import { phone } from './phone.svelte';
import { session } from './session.svelte';

class Floor {
  seats = $state.raw<SeatView[]>([]);
  figures = $state.raw<FiguresView | null>(null);
  answerWithin = $state(20);
  /** The row that the keys are meant for. */
  chosen = $state<string | null>(null);

  readonly mine = $derived(listening(desk.feed.calls, desk.feed.user?.id));
  readonly mayWatch = $derived(session.user?.role === 'supervisor' || session.user?.role === 'admin');

  private watching = 0;
  /** What the feed told while the picture was on its way. */
  private meanwhile: FeedEvent[] | null = null;
  private unsubscribe: (() => void) | null = null;

  /** For as long as a page shows it. */
  watch(): () => void {
    if (this.watching++ === 0) {
      this.unsubscribe = desk.onEvent((event, before) => {
        this.tellMissed(event, before);
        this.take(event);
      });
      void this.load();
    }
    return () => {
      if (--this.watching > 0) return;
      this.unsubscribe?.();
      this.unsubscribe = null;
    };
  }

  nameOf(user: string | null): string {
    return this.seats.find((s) => s.user.id === user)?.user.name ?? 'the operator';
  }

  async listen(call: CallView, mode: ListenMode): Promise<void> {
    if (!canListen(call)) {
      notices.show('There is nobody to be heard in that call now.', 'info');
      return;
    }
    await phone.unlock();
    try {
      await api.listen(call.id, mode);
      notices.say(`${MODE_WORDS[mode]}: ${call.account.name}.`);
    } catch (error) {
      notices.show(error instanceof Problem ? error.message : 'That did not work.');
    }
  }

  async leave(): Promise<void> {
    const mine = this.mine;
    if (!mine) return;
    try {
      await api.leave(mine.call.id);
      notices.say('You have left the call.');
    } catch (error) {
      // The telephone can always be hung up.
      phone.hangUp(mine.call.id);
      if (error instanceof Problem && !error.offline) notices.show(error.message);
    }
  }

  /** To an operator who is ready, or to the head of the queue. */
  async move(call: CallView, to?: string): Promise<void> {
    const whom = to ? this.nameOf(to) : 'the head of the queue';
    await this.attempt(() => api.moveCall(call.id, to), `The call goes to ${whom}, its form with it.`);
  }

  async logOut(seat: SeatView): Promise<void> {
    const busy = seat.state === 'talking' || seat.state === 'wrap_up';
    const words = busy ? `${seat.user.name} is logged out after this call.` : `${seat.user.name} is logged out.`;
    await this.attempt(() => api.logOutSeat(seat.user.id), words);
  }

  private async attempt(work: () => Promise<void>, done: string): Promise<void> {
    try {
      await work();
      notices.show(done, 'info');
    } catch (error) {
      notices.show(error instanceof Problem ? error.message : 'That did not work.');
    }
  }

  /** The telephone did not come up: without a word it would look as if the key had not been pressed. */
  private tellMissed(event: FeedEvent, before: FeedState): void {
    if (event.type !== 'call') return;
    const mine = (calls: CallView[]) => listening(calls.filter((c) => c.id === event.call.id), before.user?.id)?.listener;
    if (mine(before.calls)?.there === false && !mine([event.call]) && event.call.state !== 'ended') {
      notices.show('Your telephone did not take the call. Do the ready check, then try again.');
    }
    this.tellOver(event.call, before);
  }

  /** The bar is gone all at once: why, if it was not she who left. */
  private tellOver(now: CallView, before: FeedState): void {
    const was = before.calls.find((c) => c.id === now.id);
    const me = before.user?.id;
    if (was && !was.ended && now.ended && listening([was], me)?.listener.there) notices.show(overWords(was, now), 'info');
  }

  private async load(): Promise<void> {
    this.meanwhile = [];
    try {
      this.adopt(await api.board());
    } catch (error) {
      if (error instanceof Problem) notices.show(error.message);
    }
    const meanwhile = this.meanwhile ?? [];
    this.meanwhile = null;
    for (const event of meanwhile) this.take(event);
  }

  private adopt(floor: FloorView): void {
    this.seats = floor.seats;
    this.figures = floor.figures;
    this.answerWithin = floor.answer_within_secs;
  }

  private take(event: FeedEvent): void {
    if (this.meanwhile) {
      this.meanwhile.push(event);
      return;
    }
    if (event.type === 'hello') void this.load();
    else if (event.type === 'seat') {
      const at = this.seats.findIndex((s) => s.user.id === event.seat.user.id);
      this.seats = at < 0 ? [...this.seats, event.seat] : this.seats.with(at, event.seat);
    } else if (event.type === 'figures') this.figures = merge(this.figures, event.figures);
  }
}

/** A change has the service's figures whole, and of accounts those that changed. */
export function merge(before: FiguresView | null, change: FiguresView): FiguresView {
  const others = (before?.accounts ?? []).filter((a) => !change.accounts.some((c) => c.account === a.account));
  return { ...change, accounts: [...others, ...change.accounts] };
}

export const floor = new Floor();
