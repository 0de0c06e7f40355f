import { afterEach, describe, expect, it, vi } from 'vitest';
import { Problem, api, onExpired, setToken } from './api';

/** A server that refuses every token. */
function refusing() {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (path: string, options: { method: string }) => {
    asked.push(`${options.method} ${path}`);
    return new Response('{"code":"auth.required","detail":"Sign in first."}', { status: 401, headers: { 'content-type': 'application/problem+json' } });
  });
  setToken('spent');
  return asked;
}

afterEach(() => {
  vi.unstubAllGlobals();
  setToken(null);
});

describe('a session that has ended', () => {
  it('does not wait for itself: a refused refresh is refused, and so is a log-out', async () => {
    const asked = refusing();
    // As the console renews: whoever comes while that goes on waits for it.
    let renewing: Promise<boolean> | null = null;
    onExpired(() => (renewing ??= api.refresh('spent').then(() => true, () => false)));
    await expect(api.refresh('spent')).rejects.toBeInstanceOf(Problem);
    await expect(api.logOut()).rejects.toMatchObject({ status: 401 });
    expect(renewing).toBeNull();
    await expect(api.seat()).rejects.toMatchObject({ status: 401 });
    expect(asked).toEqual(['POST /api/v1/sessions/refresh', 'DELETE /api/v1/sessions/current', 'GET /api/v1/seat', 'POST /api/v1/sessions/refresh']);
  });
});
