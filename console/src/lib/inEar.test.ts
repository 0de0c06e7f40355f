import { expect, test } from 'vitest';
import { onlyOnHold } from './inEar';

const call = (state: string, state_since: number) => ({ state, state_since }) as Parameters<typeof onlyOnHold>[0][number];

test('a seat whose callers are all on hold talks to nobody, and the longest hold counts', () => {
  expect(onlyOnHold([call('held', 5_000), call('held', 2_000), call('offered', 9_000)])).toBe(2_000);
});

test('who is heard by somebody talks, whoever else is on hold', () => {
  for (const state of ['talking', 'patching', 'consulting', 'conference', 'ringing_back']) {
    expect(onlyOnHold([call('held', 2_000), call(state, 5_000)])).toBeNull();
  }
});

test('with nobody on hold there is nothing to say', () => {
  expect(onlyOnHold([])).toBeNull();
  expect(onlyOnHold([call('wrap_up', 1_000), call('offered', 2_000)])).toBeNull();
});
