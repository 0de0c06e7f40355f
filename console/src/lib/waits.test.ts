import { describe, expect, it } from 'vitest';
import { backWords, besideHers, isToRingBack, parted, phraseWords, stripWords, takeWords, toldWaiting, waitWords, waitsAs, waitsSince } from './waits';
import type { CallView } from './types';

const MINUTE = 60_000;

it('a caller who is back in the queue waits since then, and the age of the call is told beside it', () => {
  const back = { since: 0, back_since: 20 * MINUTE };
  expect(waitsSince(back)).toBe(20 * MINUTE);
  expect(waitWords(back, 20 * MINUTE + 21_000)).toBe('0:21, back in the queue; the call is 20:21 old');
  expect(backWords(back, 20 * MINUTE + 21_000)).toBe('back in the queue; the call is 20:21 old');
});

it('a caller who has been with nobody waits since the call came in', () => {
  expect(waitWords({ since: 0 }, 21_000)).toBe('0:21');
  expect(waitWords({ since: 0, back_since: null }, 21_000)).toBe('0:21');
});

describe('who asked to be called back and hung up', () => {
  const plumbing = {
    id: 'call_1',
    account: { id: 'acc_p', name: 'Imaginary Plumbing', color: '#2266aa', zone: 'America/New_York' },
    account_brief: { answer_phrase: 'Imaginary Plumbing, how may I help you?', notes: '' },
    caller: '+12025550197',
  } as CallView;
  const job = { ...plumbing, job: { name: 'Ben Ortiz', headline: 'Burst pipe' } } as CallView;

  it('is to be rung, and nobody is greeted', () => {
    expect(stripWords(plumbing, true)).toBe(': to ring back +1 202 555 0197, waits');
    expect(phraseWords(plumbing, true)).toBe('Nobody is on the line: you ring them.');
    expect(takeWords(plumbing, true)).toBe('Ring back');
    expect(waitsAs({ ring_back: true }, plumbing)).toBe('to ring back, waits');
    expect(toldWaiting(plumbing, true, '')).toBe('A caller of Imaginary Plumbing is to be rung back, nobody is on the line. F2 rings them.');
  });

  it('is not mistaken for a caller on the line, nor for a job', () => {
    expect([stripWords(plumbing, false), phraseWords(plumbing, false), takeWords(plumbing, false)]).toEqual([' waits', '“Imaginary Plumbing, how may I help you?”', 'Take']);
    expect(toldWaiting(plumbing, false, 'Kim parked them. ')).toBe('A caller of Imaginary Plumbing waits. Kim parked them. F2 takes them.');
    expect([stripWords(job, true), phraseWords(job, true), takeWords(job, true), waitsAs({ ring_back: true }, job)]).toEqual([
      ': call Ben Ortiz, waits',
      'Burst pipe',
      'Call',
      'job: call Ben Ortiz, waits',
    ]);
  });

  it('is counted apart from those who wait on the line', () => {
    const { onTheLine, toRing } = parted([{ call: 'a' }, { call: 'b', ring_back: true }, { call: 'c', ring_back: false }]);
    expect([onTheLine.map((w) => w.call), toRing.map((w) => w.call)]).toEqual([['a', 'c'], ['b']]);
  });

  it('is a call of hers while it rings at her seat, in the list and in the count alike', () => {
    const waiting = [{ call: 'a', ring_back: true }, { call: 'b' }];
    expect(besideHers(waiting, [{ id: 'a' }])).toEqual([{ call: 'b' }]);
    expect(parted(besideHers(waiting, [{ id: 'a' }])).toRing).toEqual([]);
    expect(besideHers(waiting, [])).toEqual(waiting);
  });

  it('is taken and not rung once they were reached and wait again', () => {
    const kept = { id: 'call_1', ring_back: { promised_in: 'call_0', since: 1, tries: 0 } };
    expect(isToRingBack(kept, [{ call: 'call_1', ring_back: true }])).toBe(true);
    expect(isToRingBack(kept, [])).toBe(true);
    expect(isToRingBack(kept, [{ call: 'call_1', ring_back: false }])).toBe(false);
    expect(isToRingBack({ id: 'call_1' }, [{ call: 'call_1', ring_back: true }])).toBe(false);
  });
});
