import { describe, expect, it } from 'vitest';
import { callerGone, causeOf, describeHears, endWords, patchWords, tone } from './hears';
import type { CallView, HearsView } from './types';

describe('how a call ended', () => {
  const over = (cause: string, dialled: boolean) => endWords({ ended: { cause }, dialled: dialled ? { contact: null, label: null } : null } as CallView);

  it('says whom to tell what only where somebody is on the line', () => {
    expect(over('emergency', false)).toContain('Tell the caller');
    expect(over('emergency', true)).not.toContain('caller');
    expect(over('emergency', true)).toContain('dial it on another telephone, now');
    expect([over('hung_up', false), over('hung_up', true), over('busy', true)]).toEqual(['the caller hung up', 'they hung up', 'is busy']);
  });
});

describe('why a patch failed', () => {
  it('is one sentence with the name', () => {
    expect(causeOf('Ben Ortiz', 'busy')).toBe('Ben Ortiz is busy');
    expect(causeOf('The number', 'emergency')).toMatch(/^The number is not dialled from here\. Tell the caller/);
    expect(causeOf('Ben Ortiz', 'lost')).toBe('Ben Ortiz: the line was lost');
    expect([causeOf('Ben Ortiz', null), causeOf('Ben Ortiz', 'new_one')]).toEqual(['Ben Ortiz: the call failed', 'Ben Ortiz: new one']);
    const failed = { patch: { state: 'failed', contact: null, why: 'emergency' }, hears: [] } as unknown as CallView;
    expect(patchWords(failed)).toMatch(/^The number is not dialled/);
  });
});

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

  it('is said of four, and of a contact on hold', () => {
    const parties = ['caller', 'operator', 'contact', 'colleague'] as const;
    const four: HearsView[] = parties.map((who) => ({ who, hears: parties.filter((other) => other !== who) }));
    expect(describeHears(four, 'Ben')).toBe('All four hear each other.');
    const held: HearsView[] = [
      { who: 'caller', hears: ['operator'] },
      { who: 'operator', hears: ['caller'] },
      { who: 'contact', hears: ['music'] },
    ];
    expect(describeHears(held, 'Ben')).toBe('Ben hears music. You and the caller are talking.');
  });

  it('says that the caller has hung up before anybody was joined', () => {
    const call = (state: string, hears: HearsView[]) =>
      ({ patch: { state, contact: { name: 'maya' } }, hears }) as unknown as CallView;
    const there: HearsView[] = [
      { who: 'caller', hears: ['music'] },
      { who: 'operator', hears: ['contact'] },
    ];
    const gone = call('private', there.slice(1));
    expect(callerGone(call('private', there))).toBe(false);
    expect(callerGone(gone)).toBe(true);
    expect(patchWords(gone)).toBe('The caller has hung up. Maya is on the line: say so.');
    expect(callerGone(call('dropped', there.slice(1)))).toBe(false);
  });

  it('calls nobody a caller who was called', () => {
    const dialled = { contact: { id: 'con_patel', name: 'Dr Patel' }, label: 'mobile' };
    const call = (state: string) => ({ caller: '+12025550190', dialled, hears: [], patch: { state, contact: { name: 'Ben' }, why: 'busy', cold: true } }) as unknown as CallView;
    const words = ['dialling', 'private', 'held', 'failed'].map((state) => patchWords(call(state)));
    expect(words[0]).toBe('Dialling Ben… Whoever answers is joined with Dr Patel at once.');
    expect(words.slice(1)).toEqual(['Ben is on the line: announce Dr Patel.', 'Ben waits with music: you and Dr Patel are alone.', 'Ben is busy. You are back with Dr Patel.']);
    const apart: HearsView[] = [
      { who: 'caller', hears: ['music'] },
      { who: 'operator', hears: ['contact'] },
      { who: 'contact', hears: ['operator'] },
    ];
    expect(describeHears(apart, 'Ben', 'Dr Patel')).toBe('Dr Patel hears music. You and Ben are private.');
    const both: HearsView[] = [
      { who: 'caller', hears: ['operator', 'contact'] },
      { who: 'operator', hears: ['caller'] },
    ];
    expect(describeHears(both, 'Ben', 'Dr Patel')).toBe('You and Dr Patel are talking. Dr Patel hears Ben, but not the other way.');
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
