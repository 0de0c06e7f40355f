// What the feed says, as one state. Pure: a state and an event give the next state.

import { USUAL_AGES } from './late';
import type { Ages, AlarmChain, AlarmView, CallView, DispatchView, FeedEvent, QualityView, QueueView, SeatView, User } from './types';

export interface FeedState {
  user: User | null;
  seat: SeatView | null;
  /** Everybody at work who is known, ourselves included. */
  seats: SeatView[];
  calls: CallView[];
  queue: QueueView;
  dispatches: DispatchView[];
  alarms: AlarmView[];
  alarmChain: AlarmChain | null;
  /** The last figures of each party of each call. */
  quality: QualityView[];
  /** Why one is not ready, to choose from. */
  reasons: string[];
  /** The carriers that page. */
  pagers: string[];
  /** The clients' systems that messages are posted to. */
  webhooks: string[];
  /** From what age on an open dispatch is shown as late. */
  ages: Ages;
}

export const EMPTY: FeedState = {
  user: null,
  seat: null,
  seats: [],
  calls: [],
  queue: { waiting: [], ready: 0, talking: 0 },
  dispatches: [],
  alarms: [],
  alarmChain: null,
  quality: [],
  reasons: [],
  pagers: [],
  webhooks: [],
  ages: USUAL_AGES,
};

/** In these the operator is heard by somebody. */
export const SPEAKING: ReadonlySet<string> = new Set(['talking', 'ringing_back', 'patching', 'conference', 'consulting']);

/** How long a closed dispatch stays to be read before it leaves the desk. */
export const CLOSED_LINGERS_MS = 45_000;

function put<T extends { id: string }>(items: T[], item: T): T[] {
  const at = items.findIndex((i) => i.id === item.id);
  return at < 0 ? [...items, item] : items.with(at, item);
}

/** The seats known before, with these as they are now. */
export function withSeats(known: SeatView[], now: SeatView[]): SeatView[] {
  const fresh = new Set(now.map((s) => s.user.id));
  return [...known.filter((s) => !fresh.has(s.user.id)), ...now];
}

/** Callers at a slot, whom anybody may fetch: the one parked longest first. */
export function parkedCalls(state: FeedState): CallView[] {
  return state.calls
    .filter((c) => c.state === 'parked' && c.parked !== null && c.parked.slot !== null)
    .sort((a, b) => a.parked!.since - b.parked!.since);
}

/** Operators to whom a caller can be given now. */
export function readyColleagues(state: FeedState): SeatView[] {
  return state.seats
    .filter((s) => s.state === 'ready' && s.user.id !== state.user?.id)
    .sort((a, b) => a.user.name.localeCompare(b.user.name));
}

/** Who waits and is offered to nobody, first come first. */
export function firstWaiting(state: FeedState): { call: CallView; since: number; back_since?: number | null; ring_back: boolean } | null {
  for (const waiting of state.queue.waiting) {
    const call = state.calls.find((c) => c.id === waiting.call);
    if (call && (call.state === 'queued' || call.patch?.recalled) && call.seat === null) return { call, since: waiting.since, back_since: waiting.back_since, ring_back: waiting.ring_back ?? false };
  }
  return null;
}

export function reduce(state: FeedState, event: FeedEvent): FeedState {
  switch (event.type) {
    case 'hello':
      // The whole truth: what we believed before the line broke does not count.
      return {
        user: event.user,
        seat: event.seat,
        seats: state.seats,
        calls: event.calls,
        queue: event.queue,
        dispatches: event.dispatches,
        alarms: event.alarms,
        alarmChain: event.alarm_chain ?? null,
        quality: [],
        reasons: event.not_ready_reasons ?? [],
        pagers: event.pagers ?? [],
        webhooks: event.webhooks ?? [],
        ages: event.ages ?? USUAL_AGES,
      };
    case 'seat':
      // Others' are for their names, and for whom a caller can be given to.
      return {
        ...state,
        seat: state.user && event.seat.user.id !== state.user.id ? state.seat : event.seat,
        seats: withSeats(state.seats, [event.seat]),
      };
    case 'call':
      return { ...state, calls: put(state.calls, event.call) };
    case 'call_gone':
      return {
        ...state,
        calls: state.calls.filter((c) => c.id !== event.id),
        quality: state.quality.filter((q) => q.call !== event.id),
      };
    case 'quality': {
      const { call, who } = event.quality;
      const others = state.quality.filter((q) => q.call !== call || q.who !== who);
      return { ...state, quality: [...others, event.quality] };
    }
    case 'queue':
      return { ...state, queue: event.queue };
    case 'dispatch':
      return { ...state, dispatches: put(state.dispatches, event.dispatch) };
    case 'alarm':
      return { ...state, alarms: put(state.alarms, event.alarm) };
    case 'alarm_gone':
      return { ...state, alarms: state.alarms.filter((a) => a.id !== event.id) };
    case 'alarm_chain':
      return { ...state, alarmChain: event.chain };
    default:
      return state;
  }
}

/**
 * Calls at our seat, in the order in which they came. A patched one is ours until its wrap-up is done; one that a
 * colleague asks us about is here as long as they do.
 */
export function myCalls(state: FeedState): CallView[] {
  const me = state.user?.id;
  return state.calls
    .filter((c) => me !== undefined && (c.seat === me || c.colleague?.user === me) && c.state !== 'ended')
    .sort((a, b) => a.started_at - b.started_at);
}

/** Dispatches to watch: what needs an operator first, urgent before routine, then the oldest; closed ones linger. */
export function watched(dispatches: DispatchView[], now: number): DispatchView[] {
  const rank = (d: DispatchView) =>
    d.closed_at !== null ? 3 : d.needs_operator ? 0 : d.urgency === 'urgent' ? 1 : 2;
  return dispatches
    .filter((d) => d.closed_at === null || now - d.closed_at < CLOSED_LINGERS_MS)
    .sort((a, b) => rank(a) - rank(b) || a.opened_at - b.opened_at);
}
