import { describe, expect, it } from 'vitest';
import { isOnlyHeld } from './onlyHeld';

const is = (state: string, ...kinds: string[]) => isOnlyHeld({ state, timeline: kinds.map((kind) => ({ at: 1, kind, text: '' })) });

describe('a message that is only held', () => {
  it('waits, and nobody has been told of it', () => {
    expect(is('held_for_check_in', 'opened', 'waiting')).toBe(true);
    expect(is('held_for_recap', 'opened', 'changed')).toBe(true);
  });

  it('is none of which something went out, or was read, before', () => {
    expect(is('held_for_check_in', 'opened', 'attempt', 'waiting')).toBe(false);
    expect(is('held_for_check_in', 'told', 'changed', 'waiting')).toBe(false);
    expect(is('running', 'waiting')).toBe(false);
  });
});
