import { describe, expect, it } from 'vitest';
import type { CallView } from './types';
import { isLong, LONG_WRAP_UP_MS, offWords, openEnded } from './wrapUp';

const SINCE = 1_000_000;

describe('a wrap-up that ends by no clock', () => {
  it('is told to her once it is long, with the key that ends it', () => {
    const call = { state_since: SINCE, wrap_up_until: null };
    expect(openEnded(call, 'Ctrl ↓', SINCE + LONG_WRAP_UP_MS - 1)).toBeNull();
    expect(openEnded(call, 'Ctrl ↓', SINCE + 41 * 60_000)).toBe('Wrapping up for 41:00, and it does not end by itself: no caller comes to you until Ctrl ↓ finishes it.');
  });

  it('is not spoken of where the account limits it', () => {
    expect(openEnded({ state_since: SINCE, wrap_up_until: SINCE + 600_000 }, 'Ctrl ↓', SINCE + 300_000)).toBeNull();
  });

  it('stands out on the floor by the same measure', () => {
    expect([isLong(SINCE, SINCE + LONG_WRAP_UP_MS - 1), isLong(SINCE, SINCE + LONG_WRAP_UP_MS)]).toEqual([false, true]);
  });
});

describe('a call that goes on without her', () => {
  it('says who talks in it', () => {
    const dropped = { state: 'dropped' } as CallView['patch'];
    expect(offWords({ state: 'patched', patch: dropped })).toBe('You are off this call. The two talk on.');
    expect(offWords({ state: 'patched', patch: null })).toBe('You are off this call. The contact has hung up; the caller talks with a supervisor.');
    expect(offWords({ state: 'check_in', patch: null })).toContain('hears what is held');
    expect(offWords({ state: 'wrap_up', patch: null })).toBe('You are off this call.');
  });
});
