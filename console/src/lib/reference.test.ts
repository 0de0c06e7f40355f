import { expect, test } from 'vitest';
import { readReference, saysOver } from './reference';

test('a reference is read as it was heard, and nothing else is one', () => {
  for (const said of ['482913', '482 913', ' 482-913. ', '482.913#']) expect(readReference(said)).toBe('482913');
  for (const said of ['48291', '4829130', 'unit 482913', '']) expect(readReference(said)).toBeNull();
});

test('who calls back late is told how it ended and by whom', () => {
  expect(saysOver({ state: 'confirmed', confirmed_by: 'Ben Ortiz' })).toBe('over: confirmed, Ben Ortiz');
  expect(saysOver({ state: 'closed_by_operator', confirmed_by: null })).toBe('over: closed by operator');
});
