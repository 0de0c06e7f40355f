import { describe, expect, it } from 'vitest';
import { isPausedByHand, leftOut, stillPaused, without } from './recording';

const all = { caller: true, operator: true, contact: true };

describe('whose words are recorded', () => {
  it('is not spoken of where all are', () => {
    expect(leftOut(all)).toBeNull();
    expect(without(all)).toBe('');
    // A server of before it could be said.
    expect(without(undefined)).toBe('');
  });

  it('names whoever is left out', () => {
    expect(without({ ...all, contact: false })).toBe(', without a contact who is patched in');
    expect(leftOut({ ...all, caller: false, operator: false })).toBe('the caller and the operator');
  });
});

describe('a pause that comes with a caller who is handed over', () => {
  const call = (state: 'on' | 'paused', covered = false) => ({ recording: { mode: 'on' as const, state, covered, legs: all } });

  it('is told to whoever takes over, with the key that ends it', () => {
    expect(stillPaused(call('paused'), 'Kim')).toBe('The recording is still paused, as Kim left it: Alt+, goes on with it.');
    expect(stillPaused(call('on'), 'Kim')).toBeNull();
  });

  it('is none where the recording is silent for what is being typed', () => {
    expect(isPausedByHand(call('paused', true))).toBe(false);
    expect(stillPaused(call('paused', true), 'Kim')).toBeNull();
  });
});
