import { describe, expect, it } from 'vitest';
import { hasTwoCallers, toJoin } from './joining';
import type { CallView } from './types';

const call = (id: string, state: string, started_at: number, more: object = {}): CallView =>
  ({ id, state, started_at, state_since: started_at, account: { id: 'acc_1' }, ...more }) as CallView;
const ids = (mine: CallView[], selected: CallView | null = null): string[] => {
  const two = toJoin(mine, selected);
  return two ? [two.call.id, two.other.id] : [];
};

describe('two calls become one', () => {
  it('a doctor who rings back becomes the contact of the patient on hold, whichever came first', () => {
    const rings_back = { contact: 'con_1', name: 'Dr Patel', dispatches: [] };
    expect(ids([call('patient', 'held', 1), call('doctor', 'talking', 2, { rings_back })])).toEqual(['patient', 'doctor']);
    expect(ids([call('doctor', 'held', 1, { rings_back }), call('patient', 'talking', 2)])).toEqual(['patient', 'doctor']);
  });

  it('of two whom nobody knows the later is the contact; of several on hold the last is meant', () => {
    expect(ids([call('a', 'held', 1), call('b', 'held', 2), call('c', 'talking', 3)])).toEqual(['b', 'c']);
  });

  it('without anybody on the line it is the call she looks at', () => {
    const [a, b, c] = [call('a', 'held', 1), call('b', 'held', 2), call('c', 'held', 3)];
    expect(ids([a, b, c], a)).toEqual(['a', 'c']);
    expect(ids([a, b, c])).toEqual([]);
  });

  it('callers of two clients are not joined: the last of the same client is meant', () => {
    const other = { account: { id: 'acc_2' } };
    expect(ids([call('a', 'held', 1), call('b', 'held', 2, other), call('c', 'talking', 3)])).toEqual(['a', 'c']);
    expect(ids([call('b', 'held', 2, other), call('c', 'talking', 3)])).toEqual([]);
  });

  it('nothing is joined that is not two callers with her: a patch, a job, a form', () => {
    expect(ids([call('a', 'held', 1), call('b', 'conference', 2), call('c', 'wrap_up', 3)], null)).toEqual([]);
    expect(ids([call('a', 'talking', 1), call('b', 'held', 2, { job: {} })])).toEqual([]);
  });
});

describe('a call of two callers', () => {
  const hears = [{ who: 'caller', sources: ['music'] }];
  const patched = (state: string, came_from: string | null, more: object = {}) => call('one', 'patching', 1, { hears, patch: { state, contact: null, number: '+12025550176', since: 1, came_from }, ...more });

  it('is not hung up by the key that ends a talk with one, until one of them has gone', () => {
    for (const state of ['private', 'held', 'joined']) expect(hasTwoCallers(patched(state, 'call_2'))).toBe(true);
    expect(hasTwoCallers(patched('dropped', 'call_2'))).toBe(false);
    expect(hasTwoCallers(patched('private', 'call_2', { hears: [{ who: 'operator', sources: ['contact'] }] }))).toBe(false);
  });

  it('is none where we rang the other', () => {
    expect(hasTwoCallers(patched('private', null))).toBe(false);
    expect(hasTwoCallers(call('one', 'talking', 1, { hears, patch: null }))).toBe(false);
  });
});
