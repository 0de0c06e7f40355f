import { describe, expect, it } from 'vitest';
import { KINDS, KIND_WORDS, begun } from './abandoned';
import type { AbandonedView } from './types';

const item = (answers?: Record<string, string>): AbandonedView => ({
  call: 'call_1',
  account: { id: 'acc_1', name: 'Imaginary Plumbing', color: '#123456', zone: 'America/New_York' },
  did: null,
  caller: '+12025550150',
  kind: 'form',
  started_at: 0,
  ended_at: 60_000,
  operator: null,
  ring_back: false,
  draft: answers ? { id: 'drf_1', owner: { id: 'usr_1', name: 'Kim' }, call_type: null, answers } : null,
});

describe('a caller who hung up', () => {
  it('has each kind in words', () => {
    for (const kind of KINDS) expect(KIND_WORDS[kind]).not.toBe('');
  });

  it('shows what was begun, and nothing where nothing was', () => {
    expect(begun(item({ name: 'Anna', phone: ' ', problem: 'Burst pipe', when: 'now', more: 'x' }))).toBe('Anna · Burst pipe · now');
    expect(begun(item())).toBe('');
  });
});
