import { expect, it } from 'vitest';
import { waitWords, waitsSince } from './waits';

const MINUTE = 60_000;

it('a caller who is back in the queue waits since then, and the age of the call is told beside it', () => {
  const back = { since: 0, back_since: 20 * MINUTE };
  expect(waitsSince(back)).toBe(20 * MINUTE);
  expect(waitWords(back, 20 * MINUTE + 21_000)).toBe('0:21, back in the queue; the call is 20:21 old');
});

it('a caller who has been with nobody waits since the call came in', () => {
  expect(waitWords({ since: 0 }, 21_000)).toBe('0:21');
  expect(waitWords({ since: 0, back_since: null }, 21_000)).toBe('0:21');
});
