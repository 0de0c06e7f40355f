import { describe, expect, it } from 'vitest';
import { chose, filledIn } from './chosen';
import type { CallView, Entered, Form } from './types';

const call = (chosen: CallView['chosen']) => ({ chosen }) as CallView;

describe('what a caller chose', () => {
  it('is one line, in order', () => {
    expect(chose(call([{ key: '1', label: 'emergency' }]))).toBe('chose 1: emergency');
    const both = [
      { key: '2', label: 'billing' },
      { key: '12', label: 'March' },
    ];
    expect(chose(call(both))).toBe('chose 2: billing, then 12: March');
  });

  it('is not shown where nothing was chosen', () => {
    expect(chose(call([]))).toBeNull();
  });
});

const entered = (over: Partial<Entered> = {}): Entered => ({ label: 'Policy number', field: null, digits: '00471', said_back: 'confirmed', ...over });

describe('what a caller entered', () => {
  it('stands beside what they chose, and says if they did not confirm it', () => {
    const one = { ...call([{ key: '1', label: 'claim' }]), entered: [entered()] };
    expect(chose(one)).toBe('chose 1: claim; entered Policy number 00471');
    expect(chose({ ...call([]), entered: [entered({ said_back: 'unanswered' })] })).toBe('entered Policy number 00471 (not confirmed)');
  });

  const form: Form = {
    version: 1,
    fields: [
      { name: 'policy', label: 'Policy number', kind: { kind: 'text' } },
      { name: 'card', label: 'Card', kind: { kind: 'text' }, sensitive: 'kept' },
    ],
  };

  it('goes into the field it is meant for, or that is called like it', () => {
    expect(filledIn(form, {}, [entered()])).toEqual({ policy: '00471' });
    expect(filledIn(form, {}, [entered({ label: 'number', field: 'policy' })])).toEqual({ policy: '00471' });
    expect(filledIn(form, {}, [entered({ label: 'extension' })])).toEqual({});
  });

  it('takes nothing from the operator, and nothing that must not get about', () => {
    expect(filledIn(form, { policy: '5' }, [entered()])).toEqual({});
    expect(filledIn(form, { policy: '' }, [entered()])).toEqual({});
    expect(filledIn(form, {}, [entered({ field: 'card' })])).toEqual({});
  });
});
