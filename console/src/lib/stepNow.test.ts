import { expect, test } from 'vitest';
import { stepNow } from './stepNow';

const running = (step: number | null) => ({ protocol: 'pro_1', step, closed_at: null });

test('the first step is next until something is saved, and then the one that it is in', () => {
  expect(stepNow({ id: 'pro_1' }, null, true)).toBe(0);
  expect(stepNow({ id: 'pro_1' }, null, false)).toBeNull();
  expect(stepNow({ id: 'pro_1' }, running(1), false)).toBe(0);
  expect(stepNow({ id: 'pro_1' }, running(2), false)).toBe(1);
  expect(stepNow({ id: 'pro_1' }, running(null), false), 'between two rounds').toBeNull();
});

test('what is over, or runs another version, marks none', () => {
  expect(stepNow({ id: 'pro_1' }, { ...running(2), closed_at: 9 }, false)).toBeNull();
  expect(stepNow({ id: 'pro_2' }, running(2), false)).toBeNull();
  expect(stepNow(undefined, running(2), false)).toBeNull();
});
