import { afterEach, describe, expect, it, vi } from 'vitest';
import { Problem, api, onExpired, onRefusal, request, setToken } from './api';

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

describe('a right that was taken away', () => {
  it('is told to whoever draws the menu, beside whoever has asked', async () => {
    const body = '{"code":"portal.right","detail":"Your log-in has no right to this: ask your answering service for it."}';
    vi.stubGlobal('fetch', async () => new Response(body, { status: 403, headers: { 'content-type': 'application/problem+json' } }));
    const told: string[] = [];
    onRefusal((problem) => told.push(problem.code));
    await expect(request('GET', '/portal/accounts/acc_a/contacts')).rejects.toMatchObject({ code: 'portal.right' });
    expect(told).toEqual(['portal.right']);
    vi.stubGlobal('fetch', async () => new Response('{}', { status: 200, headers: { 'content-type': 'application/json' } }));
    await request('GET', '/portal');
    expect(told).toHaveLength(1);
  });
});
