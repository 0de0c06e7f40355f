import { describe, expect, it } from 'vitest';
import { chose } from './chosen';
import type { CallView } from './types';

const call = (chosen: CallView['chosen']) => ({ chosen }) as CallView;

describe('what a caller chose', () => {
  it('is one line, in order', () => {
    expect(chose(call([{ key: '1', label: 'emergency' }]))).toBe('chose 1: emergency');
    const both = [
      { key: '2', label: 'billing' },
      { key: '12', label: 'March' },
    ];
    expect(chose(call(both))).toBe('chose 2: billing, then 12: March');
  });

  it('is not shown where nothing was chosen', () => {
    expect(chose(call([]))).toBeNull();
  });
});
