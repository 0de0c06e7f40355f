import { expect, it } from 'vitest';
import { lostWords } from './lost';

it('a form whose caller we cut off says so, with the number to ring, until somebody has seen to them', () => {
  const text = 'Lakeview: a caller was cut off when the service was restarted: call back +1 202 555 0172.';
  const alarms = [{ call: 'call_1', text }, { text: 'The disk is full.' }];
  expect(lostWords(alarms, 'call_1', 'Lakeview')).toBe('A caller was cut off when the service was restarted: call back +1 202 555 0172.');
  expect(lostWords(alarms, 'call_1', 'Renamed since')).toBe(text);
  expect([lostWords(alarms, 'call_2', 'Lakeview'), lostWords(alarms, null, 'Lakeview'), lostWords([], 'call_1', 'Lakeview')]).toEqual([null, null, null]);
});
