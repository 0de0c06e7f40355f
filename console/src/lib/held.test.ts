import { describe, expect, it } from 'vitest';
import { headlineOf, heldOf, heldWords, isOld, nextHeld, personAt } from './held';
import type { Contact, DispatchView, MessageView } from './types';

const held = (id: string, account: string, held_since: number | null, closed_at: number | null = null) =>
  ({ id, account: { id: account }, held_since, closed_at }) as DispatchView;
const message = (id: string) => ({ id }) as MessageView;

describe('held messages', () => {
  it('are those of the account, the one held longest first', () => {
    const all = [held('late', 'law', 9), held('other', 'clinic', 1), held('early', 'law', 2), held('out', 'law', null), held('read', 'law', 1, 5)];
    expect(heldOf(all, 'law').map((d) => d.id)).toEqual(['early', 'late']);
  });

  it('are not told of in words before somebody asks for them', () => {
    expect(headlineOf({ ...held('a', 'law', 2), headline: '' })).toBe('held for the client, or read out: open it to read it');
    expect(headlineOf({ ...held('b', 'law', null), headline: 'Pat Doe · a deed' })).toBe('Pat Doe · a deed');
  });

  it('are counted in words', () => {
    expect([heldWords(1), heldWords(3)]).toEqual(['1 held message', '3 held messages']);
  });

  it('are old once the feed tells of a change', () => {
    const dispatches = [{ message: 'a', edition: 2 }, { message: 'b', edition: 1 }] as DispatchView[];
    const old = (id: string, edition?: number) => isOld({ id, edition } as MessageView, dispatches);
    expect([old('a', 1), old('a'), old('a', 2), old('b', 1), old('gone', 1)]).toEqual([true, true, false, false, false]);
  });

  it('are read one after the other, and round again', () => {
    const all = [message('a'), message('b')];
    expect([null, 'a', 'b', 'gone'].map((open) => nextHeld(all, open)?.id)).toEqual(['a', 'b', 'a', 'a']);
    expect(nextHeld([], 'a')).toBeUndefined();
  });

  it('are for whoever calls, if their number is known', () => {
    const ada = { name: 'Ada', destinations: [{ reach: { kind: 'phone', address: '+12025550112' } }] } as Contact;
    expect(personAt([ada], '+12025550112')).toBe('Ada');
    expect([personAt([ada], '+12025550113'), personAt([ada], null)]).toEqual(['', '']);
  });
});
