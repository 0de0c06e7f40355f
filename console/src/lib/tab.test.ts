import { expect, test } from 'vitest';
import { claimTab } from './tab';

/** Locks as a browser has them, for as many tabs as ask. */
function browser(): Pick<LockManager, 'request'> {
  const held = new Set<string>();
  const request = async (name: string, _: LockOptions, work: (lock: Lock | null) => unknown) => {
    if (held.has(name)) return work(null);
    held.add(name);
    try {
      return await work({ name, mode: 'exclusive' });
    } finally {
      held.delete(name);
    }
  };
  return { request } as unknown as Pick<LockManager, 'request'>;
}

test('a second tab has no desk, until the first gives it back', async () => {
  const locks = browser();
  const release = await claimTab('usr_kim', locks);
  expect(release).not.toBeNull();
  expect(await claimTab('usr_kim', locks)).toBeNull();
  // Somebody else's is another.
  expect(await claimTab('usr_sam', locks)).not.toBeNull();
  release?.();
  await new Promise((done) => setTimeout(done));
  expect(await claimTab('usr_kim', locks)).not.toBeNull();
});

test('a browser that gives no locks lets her in', async () => {
  const refuses = { request: () => Promise.reject(new Error('no')) } as unknown as Pick<LockManager, 'request'>;
  expect(await claimTab('usr_kim', refuses)).not.toBeNull();
});
