// Nothing that was typed is lost, or left unweighed, because another form is filled in.

import { describe, expect, it } from 'vitest';
import cases from '../../../tests/also-cases.json';
import { alsoAnswers, alsoTaken, weighed } from './also';
import { grade } from './triggers';
import type { CallType, Field, Form, Urgency } from './types';

const NIGHT = { at: 0, zone: 'UTC', people: [] };
const field = (name: string, label: string, more: Partial<Field> = {}): Field => ({ name, label, kind: { kind: 'text' }, ...more });
const NAME = field('name', 'Name');
const PLACE = field('place', 'Where');

function type(id: string, urgency: Urgency, fields: Field[]): CallType {
  const watched = urgency === 'urgent' ? [{ kind: 'words' as const, words: 'burst pipe' }] : [];
  return { id, name: id, urgency, triggers: '', watched, form: { version: 1, fields }, protocol: null };
}

const URGENT = type('urgent', 'urgent', [
  NAME,
  PLACE,
  field('problem', 'What is wrong'),
  field('floor', 'Floor', { shown_if: { field: 'place', is: ['tower'] } }),
  field('code', 'Door code', { sensitive: 'kept' }),
]);
const ROUTINE = type('routine', 'routine', [NAME, PLACE]);
const FORMS = [URGENT.form, ROUTINE.form];
const labels = (typed: Record<string, string>, form = ROUTINE.form) => alsoTaken(form, typed, FORMS, NIGHT).map((a) => `${a.field.label}: ${a.answer}`);

describe('what no field of the form at hand holds', () => {
  it('is kept under the label by which it was asked for', () => {
    expect(labels({ name: 'Ann', problem: ' a burst pipe ' })).toEqual(['What is wrong: a burst pipe']);
    expect(labels({ name: 'Ann', unit_number: '12' })).toEqual(['Unit number: 12']);
    expect(labels({ name: 'Ann', problem: 'a burst pipe' }, URGENT.form)).toEqual([]);
  });

  it('counts no more where an answer hides it in the form that asked for it', () => {
    expect(labels({ place: 'tower', floor: '9' })).toEqual(['Floor: 9']);
    expect(labels({ place: 'barn', floor: '9' })).toEqual([]);
    expect(labels({ place: 'barn', floor: '9' }, URGENT.form)).toEqual([]);
  });

  it('is not what must not get about', () => {
    expect(labels({ code: '4711' })).toEqual([]);
  });

  it('is what the server says, case by case', () => {
    expect(cases.length).toBeGreaterThan(8);
    for (const one of cases as { what: string; form: Form; forms: Form[]; name: string; answer: string; label?: string }[]) {
      const taken = alsoTaken(one.form, { [one.name]: one.answer }, one.forms, NIGHT);
      expect(taken.map((a) => a.field.label), one.what).toEqual(one.label ? [one.label] : []);
    }
  });

  it('does not make an urgent message less without a word', () => {
    const typed = { name: 'Ann', problem: 'a burst pipe' };
    const also = alsoTaken(ROUTINE.form, typed, FORMS, NIGHT);
    const { form, answers } = weighed(ROUTINE.form, typed, also, NIGHT);
    expect(grade([URGENT, ROUTINE], { ...ROUTINE, form }, answers)).toBe('lowered');
    expect(alsoAnswers(also)).toEqual({ problem: 'a burst pipe' });
  });
});
