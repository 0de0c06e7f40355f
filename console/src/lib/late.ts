// How late an open dispatch is, by its age: for the colours of the dispatch board. Pure.

import type { Ages, DispatchView, OwnAges } from './types';

export type Late = 'no' | 'warning' | 'critical';

/** Where the server says nothing. */
export const USUAL_AGES: Ages = { urgent_warning_secs: 600, urgent_critical_secs: 1_200, routine_warning_secs: 3_600 };

/** The account's own ages where it has any, else the house's. */
export function agesOf(own: OwnAges | undefined, house: Ages): Ages {
  return {
    urgent_warning_secs: own?.urgent_warning_secs ?? house.urgent_warning_secs,
    urgent_critical_secs: own?.urgent_critical_secs ?? house.urgent_critical_secs,
    routine_warning_secs: own?.routine_warning_secs ?? house.routine_warning_secs,
  };
}

/** What is held waits for the client, and what can still be taken back has not begun. Red is for urgent ones alone. */
export function late(dispatch: DispatchView, now: number, ages: Ages): Late {
  const held = dispatch.state === 'held_for_check_in' || dispatch.state === 'held_for_recap';
  if (dispatch.closed_at !== null || held || dispatch.state === 'open') return 'no';
  const secs = (now - dispatch.opened_at) / 1_000;
  if (dispatch.urgency !== 'urgent') return secs >= ages.routine_warning_secs ? 'warning' : 'no';
  if (secs >= ages.urgent_critical_secs) return 'critical';
  return secs >= ages.urgent_warning_secs ? 'warning' : 'no';
}

/** In words, for whoever does not see the colour. */
export const LATE_WORDS: Record<Late, string> = { no: '', warning: 'late', critical: 'very late' };
