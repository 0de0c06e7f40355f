import { describe, expect, it } from 'vitest';
import { findMet, grade, gradedWords } from './triggers';
import type { CallType, Field, Trigger, Urgency } from './types';

const field = (name: string, kind: Field['kind'], more: Partial<Field> = {}): Field => ({ name, label: name, kind, ...more });

function type(id: string, urgency: Urgency, watched: Trigger[] = []): CallType {
  const fields = [
    field('message', { kind: 'long_text' }),
    field('callback', { kind: 'phone' }),
    field('problem', { kind: 'choice', options: ['Leak', 'Noise'] }),
    field('card', { kind: 'text' }, { sensitive: 'kept' }),
  ];
  return { id, name: id, urgency, triggers: '', watched, form: { version: 1, fields }, protocol: null };
}

const TYPES = [
  type('routine', 'routine'),
  type('urgent', 'urgent', [
    { kind: 'words', words: 'no heat' },
    { kind: 'words', words: 'flood' },
    { kind: 'answer', field: 'problem', is: 'leak' },
  ]),
];
const met = (answers: Record<string, string>) => {
  const found = findMet(TYPES, TYPES[0]!.form, answers)?.trigger;
  return found && (found.kind === 'words' ? found.words : found.is);
};

describe("the client's list", () => {
  it('is found in words, as words', () => {
    expect(met({ message: 'There is NO\nheat, since noon' })).toBe('no heat');
    expect(met({ message: 'the cellar is flooding!' })).toBe('flood');
    expect(met({ problem: 'Leak' })).toBe('leak');
    expect(met({ message: 'floodlights, a leak, heat' })).toBeUndefined();
  });

  it('is not looked for in what is sensitive, nor in numbers', () => {
    expect(met({ card: 'no heat', callback: 'flood' })).toBeUndefined();
  });

  it('asks for a reason both ways', () => {
    const [routine, urgent] = [TYPES[0]!, TYPES[1]!];
    expect(grade(TYPES, routine, { message: 'a flood' })).toBe('lowered');
    expect(grade(TYPES, urgent, { message: 'a flood' })).toBeNull();
    expect(grade(TYPES, urgent, { message: 'a quote' })).toBe('raised');
    expect(grade(TYPES, routine, { message: 'a quote' })).toBeNull();
    expect(grade([type('u', 'urgent')], type('u', 'urgent'), { message: 'a quote' })).toBeNull();
  });

  it('is told in a sentence', () => {
    expect(gradedWords({ how: 'lowered', trigger: 'leak', reason: 'a tap drips' })).toContain('“leak” is on the client’s list: a tap drips');
  });
});
