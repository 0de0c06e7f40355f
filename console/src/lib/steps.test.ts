import { describe, expect, it } from 'vitest';
import { ends, fieldsFor, fitted, hasTerms, isAgainGone, labelsFor, mayInform, mayRepeat, moveStep, setInforms, setOnly, setTimes, takeOutStep, withAnswer, type Order } from './steps';
import { METHODS } from './account';
import type { CallType, Step } from './types';

const step = (more: Partial<Step> = {}): Step => ({ method: { kind: 'text' }, to: [], wait_secs: 600, ...more });

const type = (id: string, fields: CallType['form']['fields'], urgency: CallType['urgency'] = 'urgent'): CallType => ({
  id, name: id, urgency, triggers: '', protocol: null, form: { version: 1, fields },
});

describe('what a step may say', () => {
  it('depends on the way', () => {
    const all = METHODS.map((m) => m.method);
    expect(all.filter(mayInform).map((m) => m.kind)).toEqual(['email', 'text', 'pager', 'webhook', 'secure_message', 'fax']);
    expect(all.filter((m) => !mayRepeat(m)).map((m) => m.kind)).toEqual(['live_patch', 'webhook', 'fax', 'hold_for_check_in', 'hold_for_recap']);
    expect(ends({ kind: 'email' })).toEqual(['handed_over']);
    expect(ends({ kind: 'secure_message', confirm: false })).not.toContain('confirmed');
  });

  it('goes to destinations that take it, on call too', () => {
    const destination = (label: string, kind: 'phone' | 'email' | 'pager') => ({ id: label, label, reach: { kind, address: '' }, ring_secs: 30, blocked: false, hours: [] });
    const contacts = [
      { destinations: [destination('mobile', 'phone'), destination('email', 'email')] },
      { destinations: [destination('mobile', 'phone'), destination('beeper', 'pager'), destination('home', 'phone')] },
    ];
    expect(labelsFor(contacts, 'pager')).toEqual(['beeper']);
    expect(labelsFor(contacts, 'phone')).toEqual(['mobile', 'home']);
    expect(labelsFor(contacts, 'fax')).toEqual([]);
  });

  it('is taken out when the way is another', () => {
    const one = step({ tries: { times: 2, apart_secs: 60 }, done: 'handed_over', informs: true, method: { kind: 'live_patch' } });
    fitted(one);
    expect(one).toEqual(step({ method: { kind: 'live_patch' } }));
  });

  it('is once unless more is said, and keeps the time between', () => {
    const one = step();
    setTimes(one, 2);
    expect(one.tries).toEqual({ times: 2, apart_secs: 120 });
    one.tries!.apart_secs = 300;
    setTimes(one, 3);
    expect(one.tries).toEqual({ times: 3, apart_secs: 300 });
    setTimes(one, 1);
    expect(one).toEqual(step());
  });

  it('is nothing more where it only informs', () => {
    const one = step({ tries: { times: 2, apart_secs: 60 }, done: 'handed_over' });
    setInforms(one, true);
    expect(one).toEqual(step({ wait_secs: 0, informs: true }));
    setInforms(one, false);
    expect(hasTerms(one)).toBe(false);
  });
});

describe('conditions', () => {
  it('are left out where nothing is said', () => {
    const one = step();
    setOnly(one, { call_types: ['a'] });
    setOnly(one, { windows: [] });
    expect(one.only).toEqual({ call_types: ['a'] });
    setOnly(one, { call_types: [] });
    expect('only' in one).toBe(false);
  });

  it('look at fields of the call types named, and at nothing sensitive', () => {
    const water = { name: 'water', label: 'Is there water?', kind: { kind: 'yes_no' as const } };
    const card = { name: 'card', label: 'Card', kind: { kind: 'text' as const }, sensitive: 'kept' as const };
    const types = [type('a', [water, card]), type('b', [water, { ...water, name: 'gas' }]), type('c', [{ ...water, name: 'ad' }], 'not_legitimate')];
    expect(fieldsFor(types, undefined).map((f) => f.name)).toEqual(['water', 'gas']);
    expect(fieldsFor(types, { call_types: ['a'] }).map((f) => f.name)).toEqual(['water']);
  });

  it('are changed one at a time', () => {
    const answers = [{ field: 'water', is: ['yes'] }, { field: 'gas' }];
    expect(withAnswer(answers, 1, { not: true })).toEqual([answers[0], { field: 'gas', not: true }]);
    expect(withAnswer(answers, 0, null)).toEqual([answers[1]]);
  });
});

describe('the step from which it goes on again', () => {
  const waits = [10, 20, 30, 40];
  /** Four steps told apart by their waits, again from the nth. */
  const order = (from_step: number): Order => ({ steps: waits.map((wait_secs) => step({ wait_secs })), repeat: { from_step } });
  const target = ({ steps, repeat }: Order) => steps[(repeat?.from_step ?? 0) - 1]?.wait_secs;

  it('is the same one wherever steps are moved', () => {
    for (const from of [1, 2, 3, 4]) {
      for (const at of [0, 1, 2, 3]) {
        for (const by of [-1, 1, 2]) {
          const one = order(from);
          moveStep(one, at, by);
          expect(target(one), `again from ${from}, step ${at + 1} moved by ${by}`).toBe(waits[from - 1]);
        }
      }
    }
    const moved = order(1);
    moveStep(moved, 2, -1);
    expect(moved.steps.map((s) => s.wait_secs)).toEqual([10, 30, 20, 40]);
  });

  it('is the same one when another is taken out, and none when it is taken out itself', () => {
    for (const from of [1, 2, 3, 4]) {
      for (const at of [0, 1, 2, 3]) {
        const one = order(from);
        takeOutStep(one, at);
        const taken = at === from - 1;
        expect(target(one), `again from ${from}, step ${at + 1} out`).toBe(taken ? undefined : waits[from - 1]);
        expect(isAgainGone(one)).toBe(taken);
        // And it stays so, until another is chosen.
        moveStep(one, 0, 1);
        takeOutStep(one, 0);
        expect(taken && !isAgainGone(one)).toBe(false);
      }
    }
  });

  it('is none where it stops', () => {
    const one: Order = { ...order(1), repeat: null };
    moveStep(one, 0, 1);
    takeOutStep(one, 0);
    expect(one.repeat).toBeNull();
    expect(isAgainGone(one)).toBe(false);
  });
});
