import { describe, expect, it } from 'vitest';
import { causeWords } from './hears';
import { readNumber, showNumber } from './phone';

describe('telephone numbers', () => {
  it('are read as people write them', () => {
    for (const text of ['(202) 555-0101', '12025550101', '+1 202 555 0101', '011 1 202 555 0101']) {
      expect(readNumber(text), text).toBe('+12025550101');
    }
    expect(readNumber('555 0101')).toBeNull();
  });

  it('of emergency services are let through, so that the refusal says what to do', () => {
    expect(readNumber('911')).toBe('+911');
    expect(readNumber('1-1-2')).toBe('+112');
    expect(showNumber('+911')).toBe('911');
    expect(causeWords('emergency')).toContain('Tell the caller to hang up and dial');
  });
});
