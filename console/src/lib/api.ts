// The server's HTTP API. Knows tokens and problems (RFC 9457), and nothing of what is shown.

import type {
  Account,
  AccountRef,
  DispatchView,
  DraftBody,
  FieldError,
  FloorView,
  ListenMode,
  MessageView,
  ServerDraft,
  SeatView,
  Session,
  SipAccess,
  User,
} from './types';

/** What the server said no to, in its own words. `status` 0 means that it was not reached at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: FieldError[] = [],
  ) {
    super(message);
    this.name = 'Problem';
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

let token: string | null = null;
let onUnauthorized: (() => Promise<boolean>) | null = null;
let clockOffset = 0;

/** The access token for the requests that follow. */
export function setToken(value: string | null): void {
  token = value;
}

/** Called once when a token is refused; true if there is a new one to try with. */
export function onExpired(handler: () => Promise<boolean>): void {
  onUnauthorized = handler;
}

/** How far the server's clock is ahead of this machine's. Countdowns are the server's. */
export function serverOffset(): number {
  return clockOffset;
}

const TIMEOUT_MS = 12_000;

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const sent: Record<string, string> = { accept: 'application/json', ...headers };
  if (token) sent.authorization = `Bearer ${token}`;
  if (body !== undefined) sent['content-type'] = 'application/json';
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Problem(0, 'offline', 'The server cannot be reached.');
  }
}

async function request<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
  let response = await send(method, path, body, headers);
  if (response.status === 401 && token && onUnauthorized && (await onUnauthorized())) {
    response = await send(method, path, body, headers);
  }
  noteClock(response);
  if (response.status === 204 || response.status === 202) return undefined as T;
  const text = await response.text();
  const json: unknown = text && /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  if (!response.ok) throw problemOf(response.status, json);
  return json as T;
}

function problemOf(status: number, json: unknown): Problem {
  const p = (json ?? {}) as { code?: string; title?: string; detail?: string; errors?: FieldError[] };
  return new Problem(status, p.code ?? String(status), p.detail ?? p.title ?? `The server answered ${status}.`, p.errors ?? []);
}

// The Date header has whole seconds; a smaller difference is not worth a jump in every countdown.
function noteClock(response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  const offset = date + 500 - Date.now();
  clockOffset = Math.abs(offset) < 2_000 ? 0 : offset;
}

const id = encodeURIComponent;

function query(parameters: Record<string, string | number | undefined>): string {
  const entries = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return entries.length ? `?${new URLSearchParams(entries.map(([k, v]) => [k, String(v)]))}` : '';
}

export interface Page<T> {
  items: T[];
  next?: string | null;
}

export interface SaveMessage {
  account: string;
  call_type: string;
  call?: string;
  draft?: string;
  caller?: string;
  answers: Record<string, string>;
}

export type CallAction = 'take' | 'hold' | 'retrieve' | 'hangup' | 'patch/join' | 'patch/drop' | 'patch/cancel' | `recording/${RecordingAct}`;
export type RecordingAct = 'start' | 'stop' | 'pause' | 'resume';

export const api = {
  logIn: (login: string, password: string) => request<Session>('POST', '/sessions', { login, password }),
  refresh: (refresh_token: string) => request<Session>('POST', '/sessions/refresh', { refresh_token }),
  logOut: () => request<void>('DELETE', '/sessions/current'),
  me: () => request<{ user: User; seat: SeatView | null }>('GET', '/me'),

  accounts: () => request<Page<AccountRef & { dids: string[] }>>('GET', '/accounts'),
  account: (account: string) => request<Account>('GET', `/accounts/${id(account)}`),
  earlier: (account: string, caller: string, limit = 5) =>
    request<Page<MessageView>>('GET', `/accounts/${id(account)}/messages${query({ caller, limit })}`),

  messages: (filter: { account?: string; open?: number; cursor?: string; limit?: number }) =>
    request<Page<MessageView>>('GET', `/messages${query(filter)}`),
  message: (message: string) => request<MessageView>('GET', `/messages/${id(message)}`),
  saveMessage: (body: SaveMessage, key: string) =>
    request<MessageView>('POST', '/messages', body, { 'idempotency-key': key }),
  undoMessage: (message: string) => request<void>('POST', `/messages/${id(message)}/undo`),

  drafts: () => request<Page<ServerDraft>>('GET', '/drafts'),
  putDraft: (draft: string, body: DraftBody) =>
    request<{ id: string; saved_at: number }>('PUT', `/drafts/${id(draft)}`, body),
  deleteDraft: (draft: string) => request<void>('DELETE', `/drafts/${id(draft)}`),

  dispatches: () => request<Page<DispatchView>>('GET', '/dispatches?open=1'),
  confirm: (dispatch: string, by: string, note?: string) =>
    request<void>('POST', `/dispatches/${id(dispatch)}/confirm`, note ? { by, note } : { by }),
  close: (dispatch: string, reason: string) => request<void>('POST', `/dispatches/${id(dispatch)}/close`, { reason }),
  skip: (dispatch: string) => request<void>('POST', `/dispatches/${id(dispatch)}/skip`),

  seat: () => request<SeatView>('GET', '/seat'),
  setSeat: (state: 'ready' | 'not_ready', reason?: string) => request<void>('PUT', '/seat', { state, reason }),
  sip: () => request<SipAccess>('GET', '/seat/sip'),
  check: () => request<void>('POST', '/seat/check'),

  board: () => request<FloorView>('GET', '/board'),
  listen: (call: string, mode: ListenMode) => request<void>('POST', `/calls/${id(call)}/listen`, { mode }),
  moveCall: (call: string, to?: string) => request<void>('POST', `/calls/${id(call)}/move`, to ? { to } : {}),
  logOutSeat: (user: string) => request<void>('POST', `/seats/${id(user)}/log_out`),
  leave: (call: string) => request<void>('DELETE', `/calls/${id(call)}/listen`),

  dismissAlarm: (alarm: string) => request<void>('DELETE', `/alarms/${id(alarm)}`),

  call: (call: string, action: CallAction) => request<void>('POST', `/calls/${id(call)}/${action}`),
  patch: (call: string, to: { contact: string; destination: string } | { number: string }) =>
    request<void>('POST', `/calls/${id(call)}/patch`, to),
  wrapUpDone: (call: string, disposition: string) =>
    request<void>('POST', `/calls/${id(call)}/wrap_up_done`, { disposition }),
};
