import { expect, test } from 'vitest';
import { settledWords } from './settled';

test('only a person who said yes is called confirmed', () => {
  expect(settledWords({ state: 'running', confirmed_by: null })).toBeNull();
  expect(settledWords({ state: 'confirmed', confirmed_by: 'Ben Ortiz' })).toBe('Confirmed by Ben Ortiz');
  expect(settledWords({ state: 'patched', confirmed_by: 'Ben Ortiz' })).toBe('Put through to Ben Ortiz');
  expect(settledWords({ state: 'told', confirmed_by: 'Ben Ortiz' })).toBe('Heard by Ben Ortiz');
});
