import { expect, it } from 'vitest';
import { agesOf, late, USUAL_AGES } from './late';
import type { DispatchView } from './types';

const dispatch = (more: Partial<DispatchView>) => ({ state: 'running', urgency: 'urgent', opened_at: 0, closed_at: null, ...more }) as DispatchView;
const at = (secs: number, more: Partial<DispatchView> = {}) => late(dispatch(more), secs * 1_000, USUAL_AGES);

it('an urgent dispatch is late after ten minutes and very late after twenty', () => {
  expect([at(599), at(600), at(1_199), at(1_200)]).toEqual(['no', 'warning', 'warning', 'critical']);
});

it('a routine one is late after an hour, and never red', () => {
  const routine = { urgency: 'routine' as const };
  expect([at(3_599, routine), at(3_600, routine), at(90_000, routine)]).toEqual(['no', 'warning', 'warning']);
});

it('what is held, not begun, or over is not late', () => {
  for (const more of [{ state: 'held_for_check_in' }, { state: 'held_for_recap' }, { state: 'open' }, { closed_at: 5 }]) {
    expect(at(90_000, more)).toBe('no');
  }
});

it('the house says from what age on', () => {
  const ages = { urgent_warning_secs: 60, urgent_critical_secs: 120, routine_warning_secs: 300 };
  expect(late(dispatch({}), 61_000, ages)).toBe('warning');
  expect(late(dispatch({}), 121_000, ages)).toBe('critical');
});

it('an account may have ages of its own, and the rest are the house\'s', () => {
  const own = { urgent_warning_secs: 120, urgent_critical_secs: null, routine_warning_secs: null };
  const ages = agesOf(own, USUAL_AGES);
  expect(late(dispatch({}), 120_000, ages)).toBe('warning');
  expect([ages.urgent_critical_secs, ages.routine_warning_secs]).toEqual([1_200, 3_600]);
  expect(agesOf(undefined, USUAL_AGES)).toEqual(USUAL_AGES);
});
