import { describe, expect, it } from 'vitest';
import { asksPin, asksWords, byPin, mayBePin } from './asked';
import type { AskedView, CallView } from './types';

const account = (id: string) => ({ id, name: id, color: '#123456', zone: 'UTC' });
const asked = (dispatch: string, of: string, pin?: boolean): AskedView => ({ dispatch, name: 'Dr Patel', message: 'msg_1', edition: 1, account: account(of), headline: '', urgency: 'urgent', pin });

describe('what who rings back is asked', () => {
  it('waits for the PIN where the account asks for one, and nowhere else', () => {
    const { open, waits, next } = byPin([asked('a', 'clinic', true), asked('b', 'plumber'), asked('c', 'clinic', true), asked('d', 'lawyer', false)]);
    expect(open.map((one) => one.dispatch)).toEqual(['b', 'd']);
    expect(waits.map((one) => one.dispatch)).toEqual(['a', 'c']);
    expect(next?.id).toBe('clinic');
    expect(byPin([asked('b', 'plumber')]).next).toBeNull();
  });
});

describe('a yes that is refused without a PIN', () => {
  const call = (id: string, of: string, state: CallView['state'], more: Partial<CallView> = {}) => ({ id, account: account(of), state, ...more }) as CallView;
  const back = (pin: boolean) => ({ contact: 'con_patel', name: 'Dr Patel', dispatches: [asked('a', 'clinic', pin)] });

  it('has it asked of who was asked and is known by the number, before anybody else of the account', () => {
    const known = call('2', 'clinic', 'held', { rings_back: back(true) });
    expect(asksPin([call('1', 'clinic', 'talking'), known], 'a', 'clinic')).toEqual({ call: known, named: false });
    const proved = call('2', 'clinic', 'held', { rings_back: back(false) });
    expect(asksPin([proved, call('1', 'clinic', 'talking')], 'a', 'clinic')?.call.id).toBe('1');
  });

  it('has it asked of who has called for that account, be another call in the middle or not', () => {
    const middle = call('1', 'plumber', 'talking');
    const held = call('2', 'clinic', 'held');
    expect(asksPin([middle, held], 'a', 'clinic')).toEqual({ call: held, named: true });
    expect(asksPin([held, call('3', 'clinic', 'talking')], 'a', 'clinic')?.call.id).toBe('3');
  });

  it('has it asked of nobody whom we rang, and of nobody who has gone', () => {
    const dialled = call('1', 'clinic', 'talking', { dialled: { contact: null, label: null } });
    expect(asksPin([dialled, call('2', 'clinic', 'wrap_up', { rings_back: back(true) })], 'a', 'clinic')).toBeNull();
  });
});

describe('what is said of it', () => {
  it('counts what they are asked and what they only had a notice of apart', () => {
    const notice = { ...asked('n', 'clinic'), notice: true };
    expect(asksWords([asked('a', 'clinic')])).toBe('1 open dispatch');
    expect(asksWords([asked('a', 'clinic'), asked('b', 'clinic'), notice])).toBe('2 open dispatches, 1 message to hear');
    expect(asksWords([notice, { ...notice, dispatch: 'm' }])).toBe('2 messages to hear');
  });
});

describe('a PIN', () => {
  it('is four to ten digits; anything else is no try', () => {
    expect(['4711', ' 0471147114 '].every(mayBePin)).toBe(true);
    expect(['', '471', '47 11', '12345678901', 'four'].some(mayBePin)).toBe(false);
  });
});
