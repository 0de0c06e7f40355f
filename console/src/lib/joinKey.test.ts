import { describe, expect, it } from 'vitest';
import { joinDoes } from './joinKey';
import type { CallView, PatchState } from './types';

const call = (state: CallView['state'], colleague: { there: boolean; joined: boolean } | null, patch?: PatchState) => ({ state, colleague, patch: patch ? { state: patch } : null }) as unknown as CallView;

describe('F9', () => {
  it('hands the caller over to a colleague, in private and with all together', () => {
    expect(joinDoes(call('consulting', { there: true, joined: false }), true)).toBe('hand_over');
    expect(joinDoes(call('conference', { there: true, joined: true }), true)).toBe('hand_over');
    expect(joinDoes(call('consulting', { there: false, joined: false }), true)).toBe('colleague_not_there');
  });

  it('hands nothing over for the colleague who is asked', () => {
    expect(joinDoes(call('conference', { there: true, joined: true }), false)).toBeNull();
  });

  it('joins the contact, also beside a colleague who is in the call', () => {
    expect(joinDoes(call('patching', null, 'private'), true)).toBe('join');
    expect(joinDoes(call('patching', { there: true, joined: true }, 'held'), true)).toBe('join');
    expect(joinDoes(call('patching', null, 'ringing'), true)).toBe('contact_not_there');
    expect(joinDoes(call('talking', null), true)).toBeNull();
  });
});
