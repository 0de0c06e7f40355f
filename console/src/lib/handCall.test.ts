import { describe, expect, it } from 'vitest';
import { HandCall, attemptsOf } from './handCall';
import type { CallView } from './types';

const call = (id: string, attempt: string, state: string, seat: string | null = 'usr_kim') =>
  ({ id, seat, state, job: { attempt, dispatch: 'dsp_1', by_hand: true } }) as unknown as CallView;

describe('a call by hand', () => {
  it('comes to the middle once, and is up when she has answered', () => {
    const hers = new HandCall('dsp_1', 'usr_kim', new Set());
    expect(hers.read([])).toEqual([]);
    expect(hers.read([call('call_1', 'att_1', 'queued', null)])).toEqual([]);
    expect(hers.read([call('call_1', 'att_1', 'offered')])).toEqual([{ kind: 'comes', call: 'call_1' }]);
    expect(hers.read([call('call_1', 'att_1', 'offered')])).toEqual([]);
    expect(hers.read([call('call_1', 'att_1', 'ringing_back')])).toEqual([{ kind: 'up' }]);
  });

  it('is not an earlier one to the same person, which is in its wrap-up still', () => {
    const earlier = call('call_1', 'att_1', 'wrap_up');
    const hers = new HandCall('dsp_1', 'usr_kim', attemptsOf([earlier]));
    expect(hers.read([earlier])).toEqual([]);
    expect(hers.hasCome).toBe(false);
    expect(hers.read([earlier, call('call_2', 'att_2', 'talking')])).toEqual([{ kind: 'comes', call: 'call_2' }, { kind: 'up' }]);
  });

  it('is not a colleague’s, or another dispatch’s', () => {
    const hers = new HandCall('dsp_2', 'usr_kim', new Set());
    expect(hers.read([call('call_1', 'att_1', 'offered')])).toEqual([]);
    expect(new HandCall('dsp_1', 'usr_kim', new Set()).read([call('call_1', 'att_1', 'offered', 'usr_lee')])).toEqual([]);
  });

  it('is gone where her telephone was not answered, whether its end is seen or missed', () => {
    for (const after of [[call('call_1', 'att_1', 'ended')], []]) {
      const hers = new HandCall('dsp_1', 'usr_kim', new Set());
      hers.read([call('call_1', 'att_1', 'offered')]);
      expect(hers.read(after)).toEqual([{ kind: 'gone' }]);
    }
  });
});
