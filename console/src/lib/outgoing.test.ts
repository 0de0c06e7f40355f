import { describe, expect, it } from 'vitest';
import { callerHungUp, callingWords, firstWords, otherParty, speaksWith, wasInVain } from './outgoing';
import type { CallView } from './types';

const CLINIC = { id: 'acc_clinic', name: 'Maple Street Clinic', color: '#123456', zone: 'UTC' };

function call(more: Partial<CallView> = {}): CallView {
  const account_brief = { answer_phrase: 'Maple Street Clinic. Is this a medical emergency?', notes: '' };
  return { id: 'c', account: CLINIC, account_brief, caller: '+12025550190', state: 'talking', ...more } as CallView;
}

const doctor = { contact: { id: 'con_patel', name: 'Dr Patel' }, label: 'mobile' };

describe('a call that an operator made', () => {
  it('says whom she calls, is on the line with, and called', () => {
    const words = (state: CallView['state']) => callingWords(call({ state, dialled: doctor }));
    expect(words('ringing_back')).toBe('You call Dr Patel (mobile) for Maple Street Clinic; they see its number.');
    expect(words('talking')).toBe('You are on the line with Dr Patel (mobile) for Maple Street Clinic; they see its number.');
    expect(words('wrap_up')).toBe('You called Dr Patel (mobile) for Maple Street Clinic; they saw its number.');
  });

  it('does not greet whom she called as a caller', () => {
    expect(firstWords(call({ dialled: doctor }))).toBe('This is the answering service of Maple Street Clinic.');
    expect(firstWords(call())).toContain('medical emergency');
  });

  it('is no call on which a caller hung up', () => {
    const ended = { cause: 'hung_up', at: 1 } as unknown as CallView['ended'];
    expect([callerHungUp(call({ ended })), callerHungUp(call({ ended, dialled: doctor })), callerHungUp(call({ ended: null }))]).toEqual([true, false, false]);
  });

  it('was in vain where whom she rang was never on the line', () => {
    const ring_back = { promised_in: 'c0', since: 1, tries: 0 };
    const vain = (more: Partial<CallView>) => wasInVain(call({ taken: false, ...more }));
    expect([vain({ ring_back }), vain({ dialled: doctor })]).toEqual([true, true]);
    expect([vain({ ring_back, taken: true }), vain({ dialled: doctor, taken: true }), vain({})]).toEqual([false, false, false]);
  });

  it('calls nobody a caller who was called', () => {
    expect(otherParty(call({ dialled: doctor }))).toBe('Dr Patel');
    expect(otherParty(call({ dialled: { contact: null, label: null } }))).toBe('+1 202 555 0190');
    expect(otherParty(call())).toBe('the caller');
    expect(speaksWith(call({ dialled: doctor }))).toBe('Dr Patel, for');
    expect(speaksWith(call())).toBe('the caller of');
  });
});
