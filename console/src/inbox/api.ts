// The part of the server's API that an inbox uses, with its own session. Knows nothing of what is shown.

import type { Content, Door, ItemList, Opened } from './types';

/** What the server said no to. `status` 0: it was not reached. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

const TIMEOUT_MS = 15_000;

let token: string | null = null;

export function setToken(value: string | null): void {
  token = value;
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(`/api/v1/inbox${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Refusal(0, 'offline', 'The answering service cannot be reached. Look at your connection and try again.');
  }
  const text = await response.text();
  const json: unknown = text && /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  if (response.ok) return json as T;
  const problem = (json ?? {}) as { code?: string; detail?: string };
  throw new Refusal(response.status, problem.code ?? String(response.status), problem.detail ?? `The service answered ${response.status}.`);
}

const id = encodeURIComponent;

export const inbox = {
  door: () => request<Door>('GET', ''),
  open: (body: { pin: string; link?: string; device: string }) => request<Opened>('POST', '/session', body),
  /** Its person has touched the page, so it stays open for longer. */
  attend: () => request<void>('PUT', '/session'),
  close: () => request<void>('DELETE', '/session'),
  list: () => request<ItemList>('GET', '/messages'),
  read: (message: string) => request<Content>('POST', `/messages/${id(message)}/read`),
  confirm: (message: string, edition: number) => request<void>('POST', `/messages/${id(message)}/confirm`, { edition }),
  reply: (message: string, text: string) => request<void>('POST', `/messages/${id(message)}/reply`, { text }),
  subscribe: (subscription: unknown) => request<void>('PUT', '/push', subscription),
  unsubscribe: () => request<void>('DELETE', '/push'),
};
