import { describe, expect, it } from 'vitest';
import { findFaq } from './faq';

const SUNDAY = { question: 'Do you work on Sundays?', answer: 'Emergencies only.' };
const PRICE = { question: 'What does a visit cost?', answer: 'From 90 dollars; on Sundays 140.' };

describe('what callers ask', () => {
  it('is found by any of its words, the question first', () => {
    expect(findFaq([PRICE, SUNDAY], 'sunday')).toEqual([SUNDAY, PRICE]);
    expect(findFaq([PRICE, SUNDAY], '  COST  visit ')).toEqual([PRICE]);
    expect(findFaq([PRICE, SUNDAY], 'gas')).toEqual([]);
  });

  it('is all there in its order while nothing is typed', () => {
    expect(findFaq([PRICE, SUNDAY], ' ')).toEqual([PRICE, SUNDAY]);
  });
});
