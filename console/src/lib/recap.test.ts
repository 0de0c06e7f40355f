import { expect, test } from 'vitest';
import { chooses, noRecap } from './recap';
import { begin, follow, isDirty, restore } from './section';

const JANE = { contact: 'con_jane', destination: 'email' };

test('somebody is chosen once, by each address, and taken out again', () => {
  const plan = noRecap();
  chooses(plan, { ...JANE, ...{ words: 'Jane Doe' } }, true);
  chooses(plan, JANE, true);
  chooses(plan, { ...JANE, destination: 'office' }, true);
  expect(plan.to).toEqual([JANE, { ...JANE, destination: 'office' }]);
  chooses(plan, JANE, false);
  expect(plan.to).toEqual([{ ...JANE, destination: 'office' }]);
});

test('what is written of a recap stays when the account is read anew, and after a crash', () => {
  const there = { ...noRecap(), times: ['08:00'], to: [JANE] };
  const part = begin(there);
  part.value.times.push('17:00');
  part.value.files.pdf = true;
  const after = follow(part, { ...there });
  expect([after.value.times, after.value.files.pdf, isDirty(after), after.theirs]).toEqual([['08:00', '17:00'], true, true, null]);
  const kept = JSON.stringify({ base: part.base, value: part.value });
  // Another plan was put in place meanwhile: both are there to choose from.
  expect(restore(kept, { ...there, times: ['09:00'] })).toMatchObject({ value: { times: ['08:00', '17:00'] }, theirs: { times: ['09:00'] } });
});
