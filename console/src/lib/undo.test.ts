import { expect, test } from 'vitest';
import { did, takeLast, type Steps } from './undo';

const step = (words: string) => ({ words, back: async () => undefined });

test('steps are taken back one by one, the last first', () => {
  let steps: Steps = did(did([], step('one')), step('two'));
  const last = takeLast(steps)!;
  expect(last.step.words).toBe('two');
  steps = did(last.rest, step('three'));
  expect(steps.map((s) => s.words)).toEqual(['one', 'three']);
  expect(takeLast([])).toBeNull();
});

test('the oldest are forgotten first', () => {
  let steps: Steps = [];
  for (let n = 0; n < 60; n += 1) steps = did(steps, step(String(n)));
  expect(steps).toHaveLength(50);
  expect(steps[0]!.words).toBe('10');
});
