// The operator is never left to believe that what she sees is saved, or goes another way than it does.

import { describe, expect, it } from 'vitest';
import { savedWords, typeAtHand } from './taken';
import type { CallType } from './types';

const message = { account: { id: 'acc_1', name: 'Imaginary Plumbing', color: '#000000', zone: 'UTC' }, call_type: { id: 'ct_routine', name: 'Non-urgent' } };

describe('what is said of a saved message', () => {
  it('names which one it is, and that another form beside it is not saved', () => {
    expect(savedWords(undefined, undefined)).toBe('Finish the form, or say what it was:');
    expect(savedWords(message, undefined)).toBe('The message is saved: Non-urgent, for Imaginary Plumbing.');
    const both = savedWords(message, { account: 'Maple Street Clinic', type: 'Urgent' });
    expect(both).toContain('saved: Non-urgent, for Imaginary Plumbing.');
    expect(both).toContain('Urgent, for Maple Street Clinic, is NOT saved yet');
  });
});

describe('the protocol beside the middle', () => {
  const type = (id: string) => ({ id, name: id }) as CallType;
  const types = [type('ct_urgent'), type('ct_routine')];

  it('is that of the saved message, not of the first call type', () => {
    expect(typeAtHand(types, undefined, message, { call_type: null })?.id).toBe('ct_routine');
  });

  it('is that of the form while one is open, saved before or not', () => {
    expect(typeAtHand(types, { call_type: 'ct_routine' }, undefined, null)?.id).toBe('ct_routine');
    expect(typeAtHand(types, { call_type: 'ct_urgent' }, message, null)?.id).toBe('ct_urgent');
    expect(typeAtHand(types, { call_type: null }, message, { call_type: 'ct_routine' })?.id).toBe('ct_urgent');
  });

  it('is what the call is known to be about where there is no form', () => {
    expect(typeAtHand(types, undefined, undefined, { call_type: 'ct_routine' })?.id).toBe('ct_routine');
    expect(typeAtHand(types, undefined, undefined, null)?.id).toBe('ct_urgent');
  });
});
