import { expect, test } from 'vitest';
import { namesakeOf, namesakeWords } from './namesakes';

const person = (id: string, name: string, title = '', ...numbers: string[]) => ({ id, name, title, destinations: numbers.map((address) => ({ reach: { kind: 'phone', address } })) });
const BEN = person('con_ben', 'Ben Ortiz', 'technician', '+12025550121', '+12025550122');
const TWIN = person('con_twin', 'ben ortiz');

test('somebody new of a name that is there is asked about, however it is written', () => {
  expect(namesakeOf([BEN], ' BEN Ortiz ', null)).toBe(BEN);
  expect(namesakeOf([BEN], 'ben  ortiz', null)).toBe(BEN);
  expect(namesakeOf([BEN], 'Ben', null)).toBeNull();
  expect(namesakeOf([person('con_x', '')], ' ', null)).toBeNull();
});

test('whoever has the name already is not asked again, and whoever takes it is', () => {
  expect(namesakeOf([BEN, TWIN], 'Ben Ortiz', TWIN)).toBeNull();
  expect(namesakeOf([BEN, TWIN], 'Ben Ortiz', person('con_ada', 'Ada Lee'))).toBe(BEN);
});

test('they are told apart by what they do and the ends of their number', () => {
  expect(namesakeWords(BEN)).toBe('There is already somebody called Ben Ortiz (technician, +1…21): is this somebody else?');
  expect(namesakeWords(TWIN)).toBe('There is already somebody called ben ortiz: is this somebody else?');
});
