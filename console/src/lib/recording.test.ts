import { describe, expect, it } from 'vitest';
import { leftOut, without } from './recording';

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
