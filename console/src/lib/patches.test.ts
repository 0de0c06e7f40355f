import { describe, expect, it } from 'vitest';
import { askedPatches, lasted, patchLine } from './patches';
import type { CallPatch, DispatchView, PatchOffer } from './types';

function patch(more: Partial<CallPatch>): CallPatch {
  return {
    contact: { id: 'con_ann', name: 'Ann Archer' },
    number: '+12025550190',
    automated: false,
    cold: false,
    why_them: null,
    dialled_at: 1,
    answered_at: null,
    joined_at: null,
    outcome: 'open',
    why: null,
    secs: null,
    alone_secs: null,
    ...more,
  };
}

describe('what became of a patch', () => {
  it('is told with its minutes', () => {
    expect(lasted(45)).toBe('45 s');
    expect(lasted(360)).toBe('6 min');
    const line = patchLine(patch({ outcome: 'joined', joined_at: 2, secs: 370, alone_secs: 300 }));
    expect(line).toContain('Ann Archer');
    expect(line).toContain('put through (warm), 6 min 10 s (5 min without an operator).');
    expect(patchLine(patch({ outcome: 'joined', automated: true, secs: 60, alone_secs: 60 }))).toMatch(/put through \(automated\), 1 min\.$/);
    const cold = patchLine(patch({ outcome: 'joined', cold: true, joined_at: 2, secs: 60, alone_secs: 60 }));
    expect(cold).toContain('put through (cold), 1 min (1 min without an operator).');
  });

  it('is told with the reason where it came to nothing', () => {
    expect(patchLine(patch({ outcome: 'failed', why: 'busy' }))).toContain('is busy');
    expect(patchLine(patch({ outcome: 'declined' }))).toContain('declined by a key');
    expect(patchLine(patch({ outcome: 'given_up' }))).toMatch(/: given up\.$/);
    const broke = patch({ outcome: 'given_up', why: 'lost', answered_at: 2 });
    expect(patchLine(broke)).toMatch(/: answered; our operator's line broke before they were put through\.$/);
    expect(patchLine({ ...broke, answered_at: null })).toMatch(/: rung; our operator's line broke/);
    expect(patchLine(patch({ contact: null, outcome: 'not_accepted' }))).not.toContain('Ann');
  });
});

describe('whom a protocol asks for', () => {
  it('is shown at the call with the caller, in order', () => {
    const offer = (call: string, name: string): PatchOffer => ({ call, contact: { id: name, name }, destination: 'mobile', begun: false, until: 1 });
    const dispatches = [
      { id: 'a', patches: [offer('c1', 'ben'), offer('c1', 'ada')] },
      { id: 'b', patches: [offer('c2', 'roe')] },
      { id: 'c', patches: [] },
    ] as unknown as DispatchView[];
    expect(askedPatches(dispatches, 'c1').map((asked) => [asked.dispatch, asked.offer.contact.name])).toEqual([['a', 'ben'], ['a', 'ada']]);
    expect(askedPatches(dispatches, 'c3')).toEqual([]);
  });
});
