import { describe, expect, it } from 'vitest';
import { answersFor, checkField, checkForm, hasContent, unplaced } from './form';
import { readNumber, showNumber } from './phone';
import type { Form } from './types';

const FORM: Form = {
  version: 1,
  fields: [
    { name: 'name', label: 'Name', kind: { kind: 'text' }, required: true },
    { name: 'callback', label: 'Callback', kind: { kind: 'phone' }, required: true },
    { name: 'problem', label: 'Problem', kind: { kind: 'choice', options: ['Burst pipe', 'No hot water'] } },
    { name: 'message', label: 'Message', kind: { kind: 'long_text' } },
  ],
};

describe('a form', () => {
  it('tells all faults at once, in its own order', () => {
    const faults = checkForm(FORM, { callback: '555', problem: 'Flood' });
    expect(faults.map((f) => [f.field, f.code])).toEqual([
      ['name', 'required'],
      ['callback', 'phone'],
      ['problem', 'choice'],
    ]);
  });

  it('takes a complete form', () => {
    expect(checkForm(FORM, { name: 'Ann', callback: '(202) 555-0199', problem: 'burst pipe' })).toEqual([]);
  });

  it('refuses an answer that is too long', () => {
    expect(checkField(FORM.fields[3]!, 'x'.repeat(4001))?.code).toBe('too_long');
  });

  it('sends only the answers of its own fields', () => {
    expect(answersFor(FORM, { name: 'Ann', other: 'kept elsewhere', message: '  ' })).toEqual({ name: 'Ann' });
    expect(hasContent({ name: '  ' })).toBe(false);
    expect(hasContent({ name: 'A' })).toBe(true);
  });
});

describe('a number', () => {
  it('is read as people write it', () => {
    expect(readNumber('202 555 0102')).toBe('+12025550102');
    expect(readNumber('1-202-555-0102')).toBe('+12025550102');
    expect(readNumber('0044 20 7946 0958')).toBe('+442079460958');
    expect(readNumber('+44 20 7946 0958')).toBe('+442079460958');
    expect(readNumber('555 0102')).toBeNull();
    expect(readNumber('call me')).toBeNull();
    expect(readNumber('')).toBeNull();
  });

  it('is shown in groups', () => {
    expect(showNumber('+12025550102')).toBe('+1 202 555 0102');
    expect(showNumber('+442079460958')).toBe('+442079460958');
    expect(showNumber(null)).toBe('no caller ID');
  });
});

describe('a change of account', () => {
  it('tells what has no field in the new form', () => {
    expect(unplaced(FORM, { name: 'Ann', room: ' 12 ', floor: ' ' })).toEqual(['room: 12']);
  });
});
