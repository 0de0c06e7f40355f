// What the feed says, and which call she looks at.

import { FeedClient, type Link } from '../lib/feed';
import { api } from '../lib/api';
import type { Away } from '../lib/away';
import { comesWords } from '../lib/comes';
import { isCut, seenAt } from '../lib/cut';
import { askedPatches, type AskedPatch } from '../lib/patches';
import { soundingAlarms } from '../lib/hush';
import { besideHers } from '../lib/waits';
import { EMPTY, SPEAKING, firstWaiting, myCalls, parkedCalls, readyColleagues, reduce, watched, withSeats, type FeedState } from '../lib/reduce';
import type { AlarmView, CallView, DispatchView, FeedEvent } from '../lib/types';
import { clock } from './clock.svelte';
import { session } from './session.svelte';

class Desk {
  feed = $state.raw<FeedState>(EMPTY);
  link = $state<Link>('connecting');
  /** Since when the line to the server has been down. */
  downSince = $state<number | null>(null);
  /** The same by the server's clock. */
  private cutAt = $state<number | null>(null);
  /** There is no line to the server, and not just for a moment: nothing can be done about calls. */
  readonly isCut = $derived(isCut(this.cutAt, clock.now));
  /** Until when what is shown of calls is known. */
  readonly seenAt = $derived(seenAt(this.cutAt, clock.now));
  /** The call or left-over form in the middle of the desk. */
  selected = $state<string | null>(null);
  /** A call that a key has taken and that is on its way here; the middle is its. */
  wanted: string | null = null;
  /** The call that stood in the middle and was taken from her: said there until she opens something else. */
  away = $state.raw<Away | null>(null);
  /** Calls on the desk whose patch she left: the two talked on. */
  patchedThrough = $state.raw<ReadonlySet<string>>(new Set());
  /** The dispatch whose details are open. */
  openDispatch = $state<string | null>(null);
  picking = $state(false);
  /** Whom to give the caller to is being asked. */
  passing = $state(false);
  keypad = $state(false);
  /** For whom and to whom to dial out is being asked. */
  dialling = $state(false);
  /** Which account the call is for is being asked. */
  renaming = $state(false);
  /** As whom to send the caller into the check-in is being asked. */
  checkingIn = $state(false);
  /** The parked caller whom the next fetch means; else the one parked longest. */
  chosenParked = $state<string | null>(null);

  readonly mine = $derived(myCalls(this.feed));
  readonly call = $derived(this.mine.find((c) => c.id === this.selected) ?? null);
  readonly talking = $derived(
    this.mine.some((c) => SPEAKING.has(c.state)),
  );
  /** The call she speaks in; there is one at most. */
  readonly speaking = $derived(this.mine.find((c) => SPEAKING.has(c.state)) ?? null);
  readonly parked = $derived(parkedCalls(this.feed));
  readonly colleagues = $derived(readyColleagues(this.feed));
  readonly waiting = $derived(firstWaiting(this.feed));
  /** Who waits, without what rings here: the list and the figure above it say the same. */
  readonly queued = $derived(besideHers(this.feed.queue.waiting, this.mine));
  readonly offered = $derived(this.mine.find((c) => c.state === 'offered') ?? null);
  readonly dispatches = $derived(watched(this.feed.dispatches, clock.now));
  readonly troubled = $derived(this.feed.dispatches.filter((d) => d.closed_at === null && (d.needs_operator || d.alarm !== null)));
  /** What must be heard: critical alarms and dispatches that wait for a person. */
  readonly sounding = $derived(soundingAlarms(this.feed.alarms, this.troubled));
  readonly alarming = $derived(this.sounding.length > 0);

  private client: FeedClient | null = null;
  private readonly listeners = new Set<(event: FeedEvent, before: FeedState) => void>();
  private typedAt = 0;

  /** She typed just now. The server hears of it at once: a call may be on its way. */
  typed(): void {
    const quiet = Date.now() - this.typedAt > 3_000;
    this.typedAt = Date.now();
    if (quiet) this.client?.ping();
  }

  get isTyping(): boolean {
    return Date.now() - this.typedAt < 3_000 && (this.away !== null || inTextField(document.activeElement));
  }

  /** Letters that go on after the form was taken from under them: they are words, no keys of the desk. */
  typesOn(letter: boolean): boolean {
    if (!letter || this.away === null || !this.isTyping) return false;
    this.typedAt = Date.now();
    return true;
  }

  start(): void {
    if (this.client) return;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.client = new FeedClient({
      url: `${scheme}://${location.host}/api/v1/events`,
      token: () => session.token,
      typing: () => this.isTyping,
      onRefused: () => void session.renew(),
      onEvent: (event) => this.apply(event),
      onLink: (link) => {
        this.link = link;
        if (link === 'up') this.downSince = this.cutAt = null;
        else {
          this.downSince ??= Date.now();
          this.cutAt ??= clock.now;
        }
      },
    });
  }

  renewed(): void {
    this.client?.authenticate();
  }

  stop(): void {
    this.client?.close();
    this.client = null;
    this.feed = EMPTY;
    this.selected = this.wanted = this.away = null;
    this.patchedThrough = new Set();
    this.openDispatch = null;
    this.closePickers();
    this.chosenParked = null;
    this.link = 'connecting';
    this.downSince = this.cutAt = null;
  }

  onEvent(listener: (event: FeedEvent, before: FeedState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  select(id: string | null): void {
    if (this.selected !== id) this.closePickers();
    this.selected = id;
    this.wanted = null;
    if (id !== null) this.away = null;
  }

  /**
   * To the middle as soon as it is hers; what stands there stays until then. Letters typed on the way go nowhere: they are meant for
   * the next form, and that is another account's. What it gives back takes it all back.
   */
  want(id: string): () => void {
    if (this.mine.some((c) => c.id === id)) {
      this.select(id);
      return () => undefined;
    }
    this.closePickers();
    this.wanted = id;
    const left = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    left?.blur();
    return () => {
      if (this.wanted !== id) return;
      this.wanted = null;
      if (left?.isConnected && document.activeElement === document.body) left.focus();
    };
  }

  /** One strip at a time asks something. */
  closePickers(): void {
    this.picking = this.passing = this.keypad = this.renaming = this.dialling = this.checkingIn = false;
  }

  get isPicking(): boolean {
    return this.picking || this.passing || this.keypad || this.renaming || this.dialling || this.checkingIn;
  }

  dispatchOf(message: string): DispatchView | undefined {
    return this.feed.dispatches.find((d) => d.message === message);
  }

  /** Whom protocols ask to put the caller of this call through to, each with its dispatch. */
  askedPatches(call: string): AskedPatch[] {
    return askedPatches(this.feed.dispatches, call);
  }

  /** Alarms that no dispatch row speaks for already. */
  get looseAlarms(): AlarmView[] {
    const shown = new Set(this.troubled.map((d) => d.id));
    return this.feed.alarms.filter((a) => a.dismissible || !a.dispatch || !shown.has(a.dispatch));
  }

  /** A colleague asks us about this call; it is not ours. */
  isAsked(call: CallView): boolean {
    return call.seat !== this.feed.user?.id;
  }

  /** Who somebody at work is. */
  nameOf(user: string): string {
    return this.feed.seats.find((s) => s.user.id === user)?.user.name ?? 'a colleague';
  }

  /** Why a caller comes, in words. */
  why(call: CallView): string | null {
    return call.comes ? comesWords(call.comes, (user) => (user === this.feed.user?.id ? 'you' : this.nameOf(user))) : null;
  }

  /** The feed tells of seats that change; who was there before is asked for. */
  private async loadSeats(): Promise<void> {
    const { items } = await api.seats();
    this.feed = { ...this.feed, seats: withSeats([], items) };
  }

  private apply(event: FeedEvent): void {
    const before = this.feed;
    this.feed = reduce(before, event);
    if (event.type === 'hello') void this.loadSeats().catch(() => undefined);
    for (const listener of this.listeners) listener(event, before);
  }
}

/** True where letters typed are text. */
export function inTextField(element: Element | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  if (element.isContentEditable || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement) return true;
  return element instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(element.type);
}

/** The party word for the other end of a patch. */
export function contactName(call: CallView): string {
  return call.patch?.contact?.name ?? (call.patch?.came_from ? 'your other caller' : 'the other party');
}

export const desk = new Desk();
