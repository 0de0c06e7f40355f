import { describe, expect, it } from 'vitest';
import { causeWords } from './hears';
import { looksDialled, premiumNote, readNumber, showNumber } from './phone';

describe('telephone numbers', () => {
  it('are read as people write them', () => {
    for (const text of ['(202) 555-0101', '12025550101', '+1 202 555 0101', '011 1 202 555 0101']) {
      expect(readNumber(text), text).toBe('+12025550101');
    }
    expect(readNumber('555 0101')).toBeNull();
  });

  it('are told from names while they are typed', () => {
    for (const text of ['+1202', '(202) 555', '911', ' 202-555-01']) expect(looksDialled(text), text).toBe(true);
    for (const text of ['', '20', 'Lee', 'Lee 2025', '()-']) expect(looksDialled(text), text).toBe(false);
  });

  it('of emergency services are let through, so that the refusal says what to do', () => {
    expect(readNumber('911')).toBe('+911');
    expect(readNumber('1-1-2')).toBe('+112');
    expect(showNumber('+911')).toBe('911');
    expect(causeWords('emergency')).toContain('Tell the caller to hang up and dial');
  });

  it('of a premium rate are spoken of, however they are written', () => {
    for (const text of ['+1 900 555 0100', '(900) 555-0100', '202 976 5550', '+44 909 879 0879']) expect(premiumNote(text), text).toContain('premium-rate');
    for (const text of ['+1 202 555 0100', '+1 209 005 5501', '+44 20 7183 8750', '900', '']) expect(premiumNote(text), text).toBe('');
  });
});
