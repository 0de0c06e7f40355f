import { describe, expect, it } from 'vitest';
import { NOBODY_WAITS, SETTLES_MS, tellWaiting, type Say } from './waiting';

/** What is said, one look after another: who waits then, and at what time. */
function says(...looks: [string | null, number][]): Say[] {
  let state = NOBODY_WAITS;
  return looks.map(([waiting, at]) => {
    const next = tellWaiting(state, waiting, at);
    state = next.state;
    return next.say;
  });
}

describe('a waiting caller', () => {
  it('who is offered to somebody else within a moment is announced at no other seat', () => {
    expect(says(['star', 0], [null, 20], [null, 2_000])).toEqual([null, null, null]);
  });

  it('for whom nobody is free is announced once', () => {
    expect(says(['star', 0], ['star', 500], ['star', SETTLES_MS], ['star', 5_000])).toEqual([null, null, 'tell', null]);
  });

  it('whom somebody else has taken is announced no longer', () => {
    expect(says(['star', 0], ['star', 1_000], [null, 1_500], [null, 2_000])).toEqual([null, 'tell', 'take_back', null]);
    expect(says(['star', 0], ['star', 1_000], ['next', 1_500], ['next', 2_500])).toEqual([null, 'tell', 'take_back', 'tell']);
  });

  it('is announced anew when they wait again', () => {
    expect(says(['star', 0], ['star', 1_000], [null, 1_500], ['star', 9_000], ['star', 10_000])).toEqual([null, 'tell', 'take_back', null, 'tell']);
  });
});
