import { describe, expect, it } from 'vitest';
import cases from '../../../tests/shape-cases.json';
import { checkField } from './form';
import { hint, shaped, tidiedShape } from './shape';
import type { Field, FieldKind, Shape } from './types';

describe('the shape of an answer', () => {
  it('is what the server says, case by case', () => {
    expect(cases.length).toBeGreaterThan(25);
    for (const one of cases as { kind: FieldKind; shape: Shape; answer: string; kept?: string; code?: string }[]) {
      const field: Field = { name: 'f', label: 'F', kind: one.kind, shape: one.shape };
      const fault = checkField(field, one.answer);
      expect(fault?.code, `${one.answer} ${JSON.stringify(one.shape)}`).toBe(one.code);
      if (fault) expect(fault.format).toBe(true);
      else if (one.kind.kind === 'text') expect(shaped('text', one.shape, one.answer)).toEqual({ kept: one.kept });
    }
  });

  it('is hinted at, by its example first', () => {
    expect(hint('text', { patterns: ['AA-9999'], example: 'PL-0471' })).toBe('like PL-0471');
    expect(hint('text', { patterns: ['999', 'AA9'] })).toBe('like 999 or AA9');
    expect(hint('number', { min: '1', max: '20' })).toBe('1 to 20');
    expect(hint('long_text', { min_length: 10 })).toBe('10 characters at least');
    expect(hint('text', undefined)).toBe('');
  });

  it('is sent without what is empty', () => {
    expect(tidiedShape({ min: ' ', patterns: ['', ' 999 '], example: '', max_length: null })).toEqual({ patterns: ['999'] });
    expect(tidiedShape({ patterns: [''] })).toBeUndefined();
  });
});
