import { describe, expect, it } from 'vitest';
import { answersFor, checkField, checkForm, hasContent, mayGoAsIs, readAmount, shownFields, type Asked } from './form';
import { readNumber, showNumber } from './phone';
import type { Field, Form } from './types';

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

describe('the usual kinds', () => {
  const asked: Asked = { at: 0, zone: 'UTC', people: ['Dr Ada Patel'] };
  const code = (kind: Field['kind'], answer: string) => checkField({ name: 'x', label: 'X', kind }, answer, asked)?.code ?? null;

  it('are checked as the server checks them', () => {
    expect(readAmount('1,250,000.50')).toBe('1250000.50');
    for (const wrong of ['1,5', '12,345,6', '1234,567', '.5', '5.', '1e9', 'one']) expect(readAmount(wrong), wrong).toBeNull();
    expect(code({ kind: 'number' }, '-3.5')).toBeNull();
    expect(code({ kind: 'date' }, '2026-03-07')).toBeNull();
    for (const wrong of ['2026-02-30', '3/7/2026', 'tomorrow']) expect(code({ kind: 'date' }, wrong), wrong).toBe('date');
    expect(code({ kind: 'time' }, '9:05')).toBeNull();
    for (const wrong of ['24:00', '9', '09:60']) expect(code({ kind: 'time' }, wrong), wrong).toBe('time');
    expect(code({ kind: 'yes_no' }, 'maybe')).toBe('yes_no');
    expect(code({ kind: 'several', options: ['Kitchen', 'Roof'] }, 'roof\nkitchen')).toBeNull();
    expect(code({ kind: 'several', options: ['Kitchen', 'Roof'] }, 'roof\nattic')).toBe('choice');
    expect(code({ kind: 'contact' }, 'dr ada patel')).toBeNull();
    expect(code({ kind: 'contact' }, 'Dr Nobody')).toBe('contact');
  });
});

describe('a field that is not always asked', () => {
  const BRANCH: Form = {
    version: 1,
    fields: [
      { name: 'problem', label: 'Problem', kind: { kind: 'choice', options: ['Leak', 'Noise'] }, required: true },
      { name: 'where', label: 'Where', kind: { kind: 'text' }, required: true, shown_if: { field: 'problem', is: ['Leak'] } },
      { name: 'shut', label: 'Valve shut', kind: { kind: 'yes_no' }, required: true, shown_if: { field: 'where' } },
    ],
  };
  const names = (answers: Record<string, string>) => shownFields(BRANCH, answers).map((f) => f.name);

  it('is neither missed nor sent while it is hidden', () => {
    expect(names({ problem: 'leak' })).toEqual(['problem', 'where']);
    const typed = { problem: 'Noise', where: 'cellar', shut: 'perhaps' };
    expect(checkForm(BRANCH, typed)).toEqual([]);
    expect(answersFor(BRANCH, typed)).toEqual({ problem: 'Noise' });
    expect(checkForm(BRANCH, { problem: 'Leak', where: 'cellar' }).map((f) => f.field)).toEqual(['shut']);
  });

  it('goes by the clock of the account', () => {
    const night: Form = {
      version: 1,
      fields: [{ name: 'gate', label: 'Gate code', kind: { kind: 'text' }, hours: { days: ['friday'], from: '18:00', until: '06:00' } }],
    };
    const shown = (utc: string, zone = 'America/Chicago') => shownFields(night, {}, { at: Date.parse(utc), zone, people: [] }).length === 1;
    // Friday 2026-03-06, 18:00 in Chicago is midnight in London.
    expect(shown('2026-03-07T00:00Z')).toBe(true);
    expect(shown('2026-03-06T23:59Z')).toBe(false);
    expect(shown('2026-03-07T11:59Z')).toBe(true);
    expect(shown('2026-03-07T12:00Z')).toBe(false);
    expect(shown('2026-03-07T00:00Z', 'UTC')).toBe(true);
    expect(shown('2026-03-08T01:00Z')).toBe(false);
  });
});

describe('an urgent message', () => {
  const form: Form = {
    version: 1,
    fields: [
      { name: 'callback', label: 'Callback', kind: { kind: 'phone' }, required: true },
      { name: 'policy', label: 'Policy', kind: { kind: 'text' }, shape: { patterns: ['AA-9999'] } },
    ],
  };

  it('may go in spite of how answers are written, and of nothing else', () => {
    const odd = checkForm(form, { callback: '555 01', policy: '471' });
    expect(odd.map((f) => [f.field, f.code])).toEqual([['callback', 'phone'], ['policy', 'pattern']]);
    expect(mayGoAsIs('urgent', odd)).toBe(true);
    expect(mayGoAsIs('routine', odd)).toBe(false);
    expect(mayGoAsIs('urgent', checkForm(form, { policy: '471' }))).toBe(false);
    expect(mayGoAsIs('urgent', [])).toBe(false);
  });

  it('asks nothing because of an answer that is wrong', () => {
    const more: Form = { ...form, fields: [...form.fields, { name: 'since', label: 'Since', kind: { kind: 'date' }, required: true, shown_if: { field: 'policy' } }] };
    expect(checkForm(more, { callback: '+12025550147', policy: '471' }).map((f) => f.field)).toEqual(['policy']);
  });
});
