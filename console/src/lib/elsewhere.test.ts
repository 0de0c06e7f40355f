import { describe, expect, it } from 'vitest';
import { AFTER_LOAD_MS, AFTER_MS, isElsewhere, patience } from './elsewhere';
import type { PhoneCall } from './softphone';
import type { CallView } from './types';

const call = (state: CallView['state']) => ({ state });
const up: PhoneCall = { id: 'call_1', auto: true, state: 'up', finding: false };

describe('her telephone', () => {
  it('is in another browser where she talks and nothing is up here', () => {
    expect(isElsewhere({}, 'registered', [call('talking')], [])).toBe(true);
    expect(isElsewhere({}, 'registered', [call('held'), call('talking')], [])).toBe(true);
  });

  it('is here where a call is up, and is not missed where nobody is spoken with', () => {
    expect(isElsewhere({}, 'registered', [call('talking')], [up])).toBe(false);
    for (const state of ['offered', 'held', 'wrap_up'] as const) expect(isElsewhere({}, 'registered', [call(state)], []), state).toBe(false);
    expect(isElsewhere({}, 'registered', [], [])).toBe(false);
  });

  it('is on the desk where that is what rings, and unknown without a line', () => {
    expect(isElsewhere({ desk_phone: true }, 'registered', [call('talking')], [])).toBe(false);
    expect(isElsewhere({}, 'connecting', [call('talking')], [])).toBe(false);
    expect(isElsewhere(null, 'registered', [call('talking')], [])).toBe(false);
  });

  it('is not said to be elsewhere just after a reload', () => {
    expect(patience(0)).toBe(AFTER_LOAD_MS);
    expect(patience(60_000)).toBe(AFTER_MS);
  });
});
