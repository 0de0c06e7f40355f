import { expect, it } from 'vitest';
import { UNNOTICED_MS, asSeen, isCut, seenAt } from './cut';

it('calls are as they were seen last while there is no line to the server, and go on counting with it', () => {
  const went = 100_000;
  const [blip, later] = [went + UNNOTICED_MS, went + 21_000];
  expect([isCut(went, blip), isCut(went, later), isCut(null, later)]).toEqual([false, true, false]);
  expect([seenAt(went, blip), seenAt(went, later), seenAt(null, later)]).toEqual([blip, went, later]);
  expect([asSeen('talking', true), asSeen('talking', false)]).toEqual(['last seen: talking', 'talking']);
});
