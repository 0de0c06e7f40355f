import { expect, test } from 'vitest';
import { did, without, type Steps } from './undo';

const step = (words: string) => ({ words, back: async () => undefined });

test('steps are taken back one by one, the last first', () => {
  let steps: Steps = did(did([], step('one')), step('two'));
  const last = steps.at(-1)!;
  expect(last.words).toBe('two');
  steps = did(without(steps, last), step('three'));
  expect(steps.map((s) => s.words)).toEqual(['one', 'three']);
});

test('what is found to be done while a step is taken back can be taken back after it', () => {
  let steps: Steps = did([], step('one'));
  const last = steps.at(-1)!;
  steps = did(steps, step('whose answer was lost'));
  expect(without(steps, last).map((s) => s.words)).toEqual(['whose answer was lost']);
});

test('the oldest are forgotten first', () => {
  let steps: Steps = [];
  for (let n = 0; n < 60; n += 1) steps = did(steps, step(String(n)));
  expect(steps).toHaveLength(50);
  expect(steps[0]!.words).toBe('10');
});
