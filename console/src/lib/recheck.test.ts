import { describe, expect, it } from 'vitest';
import { testAgain, type TestCall } from './recheck';

/** A server that rings, is up and has heard after so long, each from the one before; null: never. */
function server(rings: number | null, up: number | null, heard: number | null) {
  let now = 0;
  let hungUpAt: number | null = null;
  const at = (...parts: (number | null)[]) => (parts.includes(null) ? false : now >= parts.reduce<number>((sum, part) => sum + part!, 0));
  const call: TestCall = {
    ask: async () => undefined,
    isThere: () => at(rings),
    isUp: () => at(rings, up),
    hangUp: () => (hungUpAt = now),
    passed: () => heard !== null && hungUpAt !== null && now >= hungUpAt + heard,
    wait: async (ms) => (now += ms),
  };
  return { call, hungUpAt: () => hungUpAt, now: () => now };
}

describe('the check that the server forgot', () => {
  it('is done again by itself, and no longer than is needed', async () => {
    const { call, now } = server(300, 500, 400);
    expect(await testAgain(call)).toBeNull();
    expect(now()).toBeLessThan(3_500);
  });

  it('says what failed, and leaves no call behind', async () => {
    expect(await testAgain(server(null, 0, 0).call)).toBe('The server was asked to ring here, but no call came.');
    const stuck = server(300, null, 0);
    expect(await testAgain(stuck.call)).toBe('The test call was not connected.');
    expect(stuck.hungUpAt()).not.toBeNull();
    expect(await testAgain(server(300, 500, null).call)).toBe('The server did not hear this console.');
    const refused = { ...server(0, 0, 0).call, ask: () => Promise.reject(new Error('A call still stands at your seat.')) };
    expect(await testAgain(refused)).toBe('A call still stands at your seat.');
  });
});
