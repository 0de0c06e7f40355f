// What comes after a form that was moved while somebody typed in it.

import { describe, expect, it } from 'vitest';
import { lateWords, typedWords } from './lateWords';

describe('words that come after their form', () => {
  const before = { name: 'Bea', problem: 'water ru' };

  it('are taken in where nothing was typed here', () => {
    expect(lateWords(before, { name: 'Bea', problem: 'water runs down', callback: '0147' }, before)).toEqual({ problem: 'water runs down', callback: '0147' });
  });

  it('write over nothing that was typed here meanwhile', () => {
    const here = { ...before, problem: 'water runs since noon', callback: '0150' };
    expect(lateWords(before, { name: 'Bea Ito', problem: 'water runs down', callback: '0147' }, here)).toEqual({ name: 'Bea Ito' });
  });

  it('are none where the server has what came with the form', () => {
    expect(lateWords(before, { ...before }, { ...before, name: 'Bea Ito' })).toEqual({});
  });

  it('are there to be copied, in one line, where the server did not take them', () => {
    expect(typedWords({ name: ' Bea ', problem: 'water runs', note: ' ' })).toBe('Bea · water runs');
  });
});
