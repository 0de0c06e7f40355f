import { describe, expect, it } from 'vitest';
import { endWords } from './hears';
import { patchedThrough } from './patched';
import type { CallView } from './types';

const call = (state: CallView['state']) => ({ id: 'a', state, ended: { cause: 'hung_up' } }) as CallView;
const after = (...states: CallView['state'][]) => states.reduce<ReadonlySet<string>>((before, state) => patchedThrough(before, [call(state)]), new Set()).has('a');

describe('a patch that the operator left', () => {
  it('is one that came off, also when one of the two hangs up during her wrap-up', () => {
    expect(after('conference', 'patched')).toBe(true);
    expect(after('conference', 'patched', 'wrap_up')).toBe(true);
    expect(endWords(call('wrap_up'), true)).toBe('the two have finished');
  });

  it('is not one that ended with her in it, nor one into which she was called back', () => {
    expect(after('conference', 'wrap_up')).toBe(false);
    expect(after('patched', 'talking', 'wrap_up')).toBe(false);
    expect(endWords(call('wrap_up'))).toBe('the caller hung up');
    expect(patchedThrough(new Set(['a']), []).size).toBe(0);
  });
});
