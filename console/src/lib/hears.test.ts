import { describe, expect, it } from 'vitest';
import { describeHears, tone } from './hears';
import type { HearsView } from './types';

describe('who hears whom', () => {
  it('is said while the contact is being told', () => {
    const hears: HearsView[] = [
      { who: 'caller', hears: ['music'] },
      { who: 'operator', hears: ['contact'] },
      { who: 'contact', hears: ['operator'] },
    ];
    expect(describeHears(hears, 'Dr Patel')).toBe('Caller hears music. You and Dr Patel are private.');
    expect(tone(hears, 'caller')).toBe('music');
  });

  it('is said while it rings', () => {
    const hears: HearsView[] = [
      { who: 'caller', hears: ['music'] },
      { who: 'operator', hears: ['ringback'] },
    ];
    expect(describeHears(hears, 'Ben')).toBe('Caller hears music. You hear ringing.');
  });

  it('is said when all are joined, and when two talk on', () => {
    const three: HearsView[] = [
      { who: 'caller', hears: ['operator', 'contact'] },
      { who: 'operator', hears: ['caller', 'contact'] },
      { who: 'contact', hears: ['caller', 'operator'] },
    ];
    expect(describeHears(three, 'Ben')).toBe('All three hear each other.');
    const two: HearsView[] = [
      { who: 'caller', hears: ['contact'] },
      { who: 'contact', hears: ['caller'] },
    ];
    expect(describeHears(two, 'Ben')).toBe('Caller and Ben talk without you.');
  });

  it('never hides a listener who is not heard', () => {
    const hears: HearsView[] = [
      { who: 'caller', hears: ['operator'] },
      { who: 'operator', hears: ['caller'] },
      { who: 'contact', hears: ['caller'] },
    ];
    expect(describeHears(hears, 'Ben')).toContain('Ben hears the caller, but not the other way.');
  });
});
