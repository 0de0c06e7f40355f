import { expect, it } from 'vitest';
import { ONE_PRESS_MS, Presses } from './presses';

it('a double click skips the step that was seen, also where the next one stands there by the second', () => {
  const presses = new Presses();
  expect(presses.seen('dsp_1', 2, 10_000)).toBe(2);
  expect(presses.seen('dsp_1', 4, 10_150)).toBe(2);
  expect(presses.seen('dsp_1', 4, 10_150 + ONE_PRESS_MS - 1)).toBe(2);
});

it('a press after a look is of the step that is', () => {
  const presses = new Presses();
  presses.seen('dsp_1', 2, 10_000);
  expect(presses.seen('dsp_1', 4, 10_000 + ONE_PRESS_MS)).toBe(4);
});

it('a press on another dispatch is of that one, however soon', () => {
  const presses = new Presses();
  presses.seen('dsp_1', 2, 10_000);
  expect(presses.seen('dsp_2', 6, 10_100)).toBe(6);
  expect(presses.seen('dsp_2', 8, 10_200)).toBe(6);
});
