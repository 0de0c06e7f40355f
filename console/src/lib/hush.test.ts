import { expect, it } from 'vitest';
import { alarmOf, hush, HUSH_MS, isHushed, soundingAlarms, wake } from './hush';
import type { AlarmView, DispatchView } from './types';

const alarm = (id: string, level: AlarmView['level']) => ({ id, level }) as AlarmView;
const dispatch = (id: string, more: Partial<DispatchView> = {}) => ({ id, urgency: 'urgent', needs_operator: true, ...more }) as DispatchView;

it('critical alarms and dispatches in trouble sound, each once', () => {
  const alarms = [alarm('trunk:a', 'critical'), alarm('text:b', 'warning'), alarm(alarmOf({ id: 'dsp_1' }), 'critical')];
  const troubled = [dispatch('dsp_1'), dispatch('dsp_2', { urgency: 'routine', needs_operator: false })];
  expect(soundingAlarms(alarms, troubled)).toEqual(['trunk:a', 'dispatch:dsp_1']);
});

it('one that is hushed rests alone, and sounds again after two minutes', () => {
  const hushed = hush(new Map(), ['a'], 1_000);
  expect([isHushed(hushed, 'a', 1_001), isHushed(hushed, 'b', 1_001)]).toEqual([true, false]);
  expect(isHushed(hushed, 'a', 1_000 + HUSH_MS)).toBe(false);
});

it('one that has got worse sounds at once', () => {
  expect(isHushed(wake(hush(new Map(), ['a', 'b'], 0), 'a'), 'a', 1)).toBe(false);
});

it('what is over is forgotten', () => {
  expect([...hush(hush(new Map(), ['a'], 0), ['b'], HUSH_MS).keys()]).toEqual(['b']);
});
