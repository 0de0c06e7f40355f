import { describe, expect, it } from 'vitest';
import { comesWords } from './comes';
import type { ComesView } from './types';

const ANN = { id: 'con_ann', name: 'Ann Archer' };
const BOB = { id: 'con_bob', name: 'Bob Bell' };
const words = (why: ComesView['why'], contacts = [ANN, BOB]) => comesWords({ why, contacts }, (user) => user.replace('usr_', '').replace(/^./, (c) => c.toUpperCase()));

describe('why a caller comes', () => {
  it('says whom it was tried with, and what each did', () => {
    const tried = [
      { contact: ANN.id, number: '+12025550190', outcome: 'failed', why: 'no_answer' },
      { contact: BOB.id, number: '+12025550191', outcome: 'declined', why: null },
      { contact: 'con_gone', number: '+12025550192', outcome: 'not_accepted', why: null },
    ] as const;
    const said = words({ kind: 'nobody_reached', tried: [...tried] });
    expect(said).toBe('Nobody took the call. Ann Archer did not answer, Bob Bell declined by a key, +1 202 555 0192 answered and pressed no key.');
    expect(words({ kind: 'nobody_reached', tried: [] })).toContain('could be rung');
  });

  it('says who pressed * and who is still on', () => {
    const recalled = (by_caller: boolean, there: boolean) =>
      words({ kind: 'recalled', by_caller, contact: ANN.id, number: '+12025550190', there });
    expect(recalled(true, true)).toBe('The caller pressed * in the patch with Ann Archer: both are on the line and hear each other.');
    expect(recalled(false, true)).toBe('Ann Archer pressed * in the patch with the caller: both are on the line and hear each other.');
    expect(recalled(true, false)).toBe('The caller pressed * in the patch, and Ann Archer has hung up since: the caller is alone.');
    expect(recalled(false, false)).toBe('Ann Archer pressed * in the patch, and has hung up since: the caller is alone.');
  });

  it('says by whom, where it was an operator', () => {
    expect(words({ kind: 'not_fetched', by: 'usr_kim', slot: 2 })).toBe('Nobody fetched the caller from slot 2, where Kim parked them.');
    expect(words({ kind: 'not_taken', by: 'usr_kim', to: 'usr_lee' })).toBe('Kim passed the caller on to Lee, who did not take them.');
    expect(words({ kind: 'transfer_failed', by: 'usr_kim', number: '+12025550190', why: 'busy' })).toBe('Kim transferred the caller to +1 202 555 0190. That number is busy.');
  });

  it('says of the account’s own number what it did', () => {
    const said = (why: string) => words({ kind: 'spill_failed', number: '+12025550172', why });
    expect(said('busy')).toBe('The account sends calls to +1 202 555 0172 now. That number is busy.');
    expect(said('lost')).toContain('now. That number: ');
  });

  it('says how far somebody came at check-in', () => {
    const from = (checked_in: boolean, contact: string | null, wrong_pins: number) => words({ kind: 'from_check_in', checked_in, contact, wrong_pins });
    expect(from(true, ANN.id, 0)).toBe('Ann Archer has checked in and wants a person.');
    expect(from(true, null, 1)).toBe('Somebody with the account’s PIN has checked in and wants a person, after 1 wrong PIN.');
    expect(from(false, null, 2)).toBe('Wants a person at check-in; 2 wrong PINs: ask who it is.');
    expect(from(false, null, 0)).toBe('Wants a person at check-in; no PIN was entered.');
  });
});
