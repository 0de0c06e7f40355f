// The server's HTTP API. Knows tokens and problems (RFC 9457), and nothing of what is shown.

import type { ReachWindow } from './reachHours';
import type { Fitted, People, Player, Simulation, Template, VersionView } from './protocols';
import type {
  AbandonedKind,
  AbandonedView,
  Callable,
  CallbackView,
  Account,
  AccountRecording,
  AccountSettings,
  AnswerPhrase,
  AuditRow,
  CallWays,
  Contact,
  AccountRef,
  CallPatch,
  MailPreview,
  DispatchView,
  DraftBody,
  EditionView,
  Fault,
  FieldError,
  FloorView,
  FlowNow,
  Grading,
  InboxState,
  JobOutcome,
  ListenMode,
  Lock,
  Menu,
  MessageView,
  OwnAges,
  PinView,
  Peaks,
  ProtocolVersion,
  ReachKind,
  RecapPlan,
  RecapState,
  Role,
  ServerDraft,
  SeatView,
  Session,
  Sheet,
  SipAccess,
  Speech,
  StatusLine,
  Step,
  User,
  UserLine,
  WholeAccount,
} from './types';

/** What the server said no to, in its own words. `status` 0 means that it was not reached at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: FieldError[] = [],
    /** The same for what was written in settings. */
    readonly faults: Fault[] = [],
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
let onRefused: ((problem: Problem) => void) | null = null;
let clockOffset = 0;

/** The access token for the requests that follow. */
export function setToken(value: string | null): void {
  token = value;
}

/** Called once when a token is refused; true if there is a new one to try with. */
export function onExpired(handler: () => Promise<boolean>): void {
  onUnauthorized = handler;
}

/** Told of each refusal, beside whoever has asked: what a page may do can be less by now than when it was loaded. */
export function onRefusal(handler: (problem: Problem) => void): void {
  onRefused = handler;
}

/** How far the server's clock is ahead of this machine's. Countdowns are the server's. */
export function serverOffset(): number {
  return clockOffset;
}

const TIMEOUT_MS = 12_000;
/** A recording takes longer over a slow line. */
const UPLOAD_TIMEOUT_MS = 60_000;

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const sent: Record<string, string> = { accept: 'application/json', ...headers };
  if (token) sent.authorization = `Bearer ${token}`;
  if (body !== undefined) sent['content-type'] ??= 'application/json';
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: sent,
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(body instanceof Blob ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS),
    });
  } catch {
    throw new Problem(0, 'offline', 'The server cannot be reached.');
  }
}

/**
 * An answer; a refused token is renewed once. Not where the request is about the session itself: renewing waits for that very answer.
 */
async function answer(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response> {
  let response = await send(method, path, body, headers);
  if (response.status === 401 && !path.startsWith('/sessions') && token && onUnauthorized && (await onUnauthorized())) {
    response = await send(method, path, body, headers);
  }
  noteClock(response);
  return response;
}

export async function request<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
  const response = await answer(method, path, body, headers);
  if (response.status === 204 || response.status === 202) return undefined as T;
  const text = await response.text();
  const json: unknown = text && /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  if (!response.ok) throw problemOf(response.status, json);
  return json as T;
}

/** Something that is not JSON: a recording. */
export async function fetchBlob(path: string): Promise<Blob> {
  let response = await send('GET', path);
  if (response.status === 401 && token && onUnauthorized && (await onUnauthorized())) response = await send('GET', path);
  if (response.ok) return response.blob();
  const json: unknown = /json/.test(response.headers.get('content-type') ?? '') ? await response.json() : undefined;
  throw problemOf(response.status, json);
}

/** Something that is made of what is sent: a sound. */
export async function postBlob(path: string, body: unknown): Promise<Blob> {
  const response = await answer('POST', path, body);
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => undefined));
  return response.blob();
}

function problemOf(status: number, json: unknown): Problem {
  const p = (json ?? {}) as { code?: string; title?: string; detail?: string; errors?: (FieldError | Fault)[] };
  const errors = (p.errors ?? []).filter((e): e is FieldError => 'field' in e);
  const faults = (p.errors ?? []).filter((e): e is Fault => 'pointer' in e);
  const problem = new Problem(status, p.code ?? String(status), p.detail ?? p.title ?? `The server answered ${status}.`, errors, faults);
  onRefused?.(problem);
  return problem;
}

// The Date header has whole seconds; a smaller difference is not worth a jump in every countdown.
function noteClock(response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  const offset = date + 500 - Date.now();
  clockOffset = Math.abs(offset) < 2_000 ? 0 : offset;
}

const id = encodeURIComponent;

export function query(parameters: Record<string, string | number | undefined>): string {
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
  /** When the form was begun. */
  begun_at?: number;
  answers: Record<string, string>;
  /** What was typed in fields that this form does not ask for. */
  also?: Record<string, string>;
  /** Why the urgency is another than by the client's list. */
  reason?: string;
  /** Take answers as they are that are not written as the form asks: it is urgent. */
  as_is?: boolean;
}

export interface ChangeMessage {
  edition: number;
  call_type?: string;
  caller?: string;
  answers: Record<string, string>;
  /** What was said in fields that this form does not ask for. */
  also?: Record<string, string>;
  reason?: string;
  /** Why it is not sent again, of what was delivered. */
  unsent?: string;
  /** Take answers as they are that are not written as the form asks: it is urgent. */
  as_is?: boolean;
  again: boolean;
}

export interface CallTypesBody {
  edition: number;
  call_types: unknown[];
}

export interface ContactBody {
  edition?: number;
  name: string;
  title: string;
  language: string | null;
  zone: string | null;
  /** They are somebody else than the one of the same name. */
  namesake?: boolean;
  destinations: { id?: string; label: string; reach: { kind: ReachKind; address: string }; ring_secs: number; hours: ReachWindow[] }[];
}

export interface ProtocolBody {
  edition?: number;
  name: string;
  steps: Step[];
  repeat: { from_step: number } | null;
  until: ProtocolVersion['until'];
  call_types: string[];
}

export interface SimulationBody {
  protocol: ProtocolBody;
  call_type: string;
  /** On the account's clock: `2026-03-07T02:00`. */
  at: string;
  hours: number;
  people: People;
  /** What was answered, by the names of fields, where steps look at it. */
  answers: Record<string, string>;
}

export type PatchTo = { contact: string; destination: string } | { number: string };
export type CallAction = 'take' | 'hold' | 'speak' | 'retrieve' | 'park' | 'fetch' | 'ask/hand_over' | 'ask/cancel' | 'hangup' | 'patch/join' | 'patch/drop' | 'patch/cancel' | 'patch/let_go' | 'patch/next' | 'patch/hold' | 'patch/private' | 'ask/join' | 'wrap_up_more' | `recording/${RecordingAct}`;
export type RecordingAct = 'start' | 'stop' | 'pause' | 'resume' | 'cover' | 'uncover';

export const api = {
  logIn: (login: string, password: string) => request<Session>('POST', '/sessions', { login, password }),
  refresh: (refresh_token: string) => request<Session>('POST', '/sessions/refresh', { refresh_token }),
  logOut: () => request<void>('DELETE', '/sessions/current'),
  me: () => request<{ user: User; seat: SeatView | null }>('GET', '/me'),

  accounts: () => request<Page<AccountRef & { dids: string[]; ages?: OwnAges }>>('GET', '/accounts'),
  account: (account: string) => request<Account>('GET', `/accounts/${id(account)}`),
  recording: (call: string) => fetchBlob(`/calls/${id(call)}/recording`),
  peaks: (call: string) => request<Peaks>('GET', `/calls/${id(call)}/recording/peaks`),
  addStatus: (account: string, text: string, until?: number) =>
    request<StatusLine>('POST', `/accounts/${id(account)}/status`, { text, until }),
  endStatus: (line: string) => request<void>('DELETE', `/status/${id(line)}`),
  handover: () => request<Sheet>('GET', '/handover'),
  earlier: (account: string, caller: string, limit = 5) =>
    request<Page<MessageView>>('GET', `/accounts/${id(account)}/messages${query({ caller, limit })}`),

  wholeAccount: (account: string) => request<WholeAccount>('GET', `/accounts/${id(account)}`),
  addAccount: (body: Partial<AccountSettings>) => request<{ id: string; edition: number }>('POST', '/accounts', body),
  putAccount: (account: string, body: AccountSettings & { edition: number }) =>
    request<{ edition: number }>('PUT', `/accounts/${id(account)}`, body),
  putCallTypes: (account: string, body: CallTypesBody) =>
    request<{ edition: number }>('PUT', `/accounts/${id(account)}/call_types`, body),
  putFlow: (account: string, body: CallWays & { edition: number }) =>
    request<CallWays & { edition: number }>('PUT', `/accounts/${id(account)}/flow`, body),
  checkFlow: (account: string, body: CallWays) =>
    request<{ errors: Fault[]; now: FlowNow }>('POST', `/accounts/${id(account)}/flow/check`, body),
  /** Rings my telephone with a menu; the feed tells how far I come. */
  tryMenu: (account: string, body: { menu: Menu; window: string | null; caller: string | null }) =>
    request<void>('POST', `/accounts/${id(account)}/menus/try`, body),
  addContact: (account: string, body: ContactBody) =>
    request<Contact & { edition: number }>('POST', `/accounts/${id(account)}/contacts`, body),
  putContact: (contact: string, body: ContactBody) =>
    request<Contact & { edition: number }>('PUT', `/contacts/${id(contact)}`, body),
  removeContact: (contact: string, edition: number) =>
    request<void>('DELETE', `/contacts/${id(contact)}`, undefined, { 'if-match': `"${edition}"` }),
  pins: (account: string) => request<Page<PinView>>('GET', `/accounts/${id(account)}/pins`),
  /** A contact's; null: the one that all of the account's people share. */
  setPin: (account: string, contact: string | null, pin: string) =>
    request<PinView>('PUT', contact ? `/contacts/${id(contact)}/pin` : `/accounts/${id(account)}/pin`, { pin }),
  removePin: (account: string, contact: string | null) =>
    request<void>('DELETE', contact ? `/contacts/${id(contact)}/pin` : `/accounts/${id(account)}/pin`),
  inbox: (contact: string) => request<InboxState>('GET', `/contacts/${id(contact)}/inbox`),
  /** Sends a link to install the inbox, to the person's destination of that name. */
  inviteToInbox: (contact: string, to: string) => request<void>('POST', `/contacts/${id(contact)}/inbox/invitations`, { to }),
  removeInboxDevice: (contact: string, device: string) => request<void>('DELETE', `/contacts/${id(contact)}/inbox/devices/${id(device)}`),
  recap: (account: string) => request<RecapState>('GET', `/accounts/${id(account)}/recap`),
  setRecap: (account: string, plan: RecapPlan) => request<RecapState>('PUT', `/accounts/${id(account)}/recap`, plan),
  removeRecap: (account: string) => request<void>('DELETE', `/accounts/${id(account)}/recap`),
  protocols: (account: string) => request<Page<ProtocolVersion>>('GET', `/accounts/${id(account)}/protocols`),
  addProtocol: (account: string, body: ProtocolBody) =>
    request<ProtocolVersion & { edition: number }>('POST', `/accounts/${id(account)}/protocols`, body),
  previewMail: (account: string, mail: AccountSettings['mail'], call_type?: string) =>
    request<MailPreview>('POST', `/accounts/${id(account)}/mail/preview`, { mail, call_type }),
  checkProtocol: (account: string, body: ProtocolBody) =>
    request<{ text: string[]; errors: Fault[]; warnings: Fault[] }>('POST', `/accounts/${id(account)}/protocols/check`, body),
  /** What an unsaved protocol would do with a message saved at that time of the account's clock. */
  simulate: (account: string, body: SimulationBody) => request<Simulation>('POST', `/accounts/${id(account)}/protocols/simulate`, body),
  templates: (account: string) => request<Page<Template>>('GET', `/accounts/${id(account)}/protocols/templates`),
  fitTemplate: (account: string, template: string, players: Record<string, Player>) =>
    request<Fitted>('POST', `/accounts/${id(account)}/protocols/templates`, { template, players }),
  versions: (account: string, name: string) => request<Page<VersionView>>('GET', `/accounts/${id(account)}/protocols/versions${query({ name })}`),
  differences: (before: string, after: string) => request<{ lines: string[] }>('GET', `/protocols/${id(after)}/differences${query({ from: before })}`),
  bringBack: (protocol: string, edition: number) =>
    request<ProtocolVersion & { edition: number }>('POST', `/protocols/${id(protocol)}/bring_back`, { edition }),
  uploadRecording: (wav: Blob) =>
    request<{ speech: Speech; millis: number }>('POST', '/speech/recordings', wav, { 'content-type': 'audio/wav' }),
  /** What callers would hear, as sound. */
  say: (speech: Speech) => postBlob('/speech/listen', speech),
  /** Whose name is said otherwise than it is written. */
  spokenNames: (account: string) => request<Page<{ contact: string; spoken_as: string }>>('GET', `/accounts/${id(account)}/spoken_as`),
  /** How a call-out would say it, as sound. */
  hearSpokenAs: (account: string, spoken_as: string) => postBlob(`/accounts/${id(account)}/spoken_as/listen`, { spoken_as }),
  setSpokenAs: (contact: string, spoken_as: string | null) =>
    request<{ contact: string; spoken_as: string | null }>('PUT', `/contacts/${id(contact)}/spoken_as`, { spoken_as }),

  /** Rings my telephone and takes down a greeting; the feed tells how far I am. */
  recordByPhone: (account: string) => request<void>('POST', `/accounts/${id(account)}/recordings/by_phone`),
  recordings: (account: string) => request<Page<AccountRecording>>('GET', `/accounts/${id(account)}/recordings`),
  forgetRecording: (account: string, recording: string) =>
    request<void>('DELETE', `/accounts/${id(account)}/recordings/${encodeURIComponent(recording)}`),
  /** What callers hear before the greeting now. */
  statusGreeting: async (account: string): Promise<Blob> => {
    const response = await answer('GET', `/accounts/${id(account)}/status_greeting/sound`);
    if (!response.ok) throw problemOf(response.status, await response.json().catch(() => undefined));
    return response.blob();
  },
  /** My own recording of the account's answer phrase. */
  setAnswerPhrase: (account: string, wav: Blob) =>
    request<AnswerPhrase>('PUT', `/accounts/${id(account)}/answer_phrase`, wav, { 'content-type': 'audio/wav' }),
  removeAnswerPhrase: (account: string) => request<void>('DELETE', `/accounts/${id(account)}/answer_phrase`),
  answerPhrase: async (account: string): Promise<Blob> => {
    const response = await answer('GET', `/accounts/${id(account)}/answer_phrase/sound`);
    if (!response.ok) throw problemOf(response.status, await response.json().catch(() => undefined));
    return response.blob();
  },
  endStatusGreeting: (account: string) => request<void>('DELETE', `/accounts/${id(account)}/status_greeting`),

  users: () => request<Page<UserLine>>('GET', '/users'),
  addUser: (body: { login: string; name: string; role: Role; password: string }) => request<UserLine>('POST', '/users', body),
  changeUser: (user: string, body: { name?: string; role?: Role; password?: string; disabled?: boolean }) =>
    request<UserLine>('PATCH', `/users/${id(user)}`, body),
  setSkills: (user: string, skills: string[]) => request<void>('PUT', `/users/${id(user)}/skills`, { skills }),

  audit: (filter: { act?: string; who?: string; object?: string; since?: number; until?: number; cursor?: number; limit?: number }) =>
    request<{ items: AuditRow[]; next: number | null }>('GET', `/audit${query(filter)}`),

  messages: (filter: { account?: string; open?: number; graded?: Grading; cursor?: string; limit?: number }) =>
    request<Page<MessageView>>('GET', `/messages${query(filter)}`),
  message: (message: string) => request<MessageView>('GET', `/messages/${id(message)}`),
  saveMessage: (body: SaveMessage, key: string) =>
    request<MessageView>('POST', '/messages', body, { 'idempotency-key': key }),
  changeMessage: (message: string, body: ChangeMessage) => request<MessageView>('PUT', `/messages/${id(message)}`, body),
  editions: (message: string) => request<Page<EditionView>>('GET', `/messages/${id(message)}/editions`),
  undoMessage: (message: string) => request<void>('POST', `/messages/${id(message)}/undo`),

  drafts: () => request<Page<ServerDraft>>('GET', '/drafts'),
  putDraft: (draft: string, body: DraftBody) =>
    request<{ id: string; saved_at: number }>('PUT', `/drafts/${id(draft)}`, body),
  /** A form that was left is mine from now on. */
  takeDraft: (draft: string) => request<ServerDraft>('POST', `/drafts/${id(draft)}/take`),
  deleteDraft: (draft: string) => request<void>('DELETE', `/drafts/${id(draft)}`),

  dispatches: () => request<Page<DispatchView>>('GET', '/dispatches?open=1'),
  /** Those that a person may mean who calls back with this reference: open ones first, then those that are over. */
  dispatchesNamed: (reference: string) => request<Page<DispatchView>>('GET', `/dispatches${query({ reference })}`),
  /** `edition`: of the message that was read to them. */
  confirm: (dispatch: string, by: string, note?: string, edition?: number) =>
    request<void>('POST', `/dispatches/${id(dispatch)}/confirm`, { by, note, edition }),
  close: (dispatch: string, reason: string) => request<void>('POST', `/dispatches/${id(dispatch)}/close`, { reason }),
  held: (account: string) => request<Page<MessageView>>('GET', `/accounts/${id(account)}/held`),
  readOut: (dispatch: string, to: string, edition: number) => request<void>('POST', `/dispatches/${id(dispatch)}/read`, { to, edition }),
  /** `moves`: of the dispatch as it was seen, as of a step that is over meanwhile nothing is meant. */
  retry: (dispatch: string, moves?: number) => request<void>('POST', `/dispatches/${id(dispatch)}/retry`, { moves }),
  /** I work on it from now on, whoever has it if `take_over`. */
  lock: (dispatch: string, take_over = false) => request<Lock>('PUT', `/dispatches/${id(dispatch)}/lock`, { take_over }),
  unlock: (dispatch: string) => request<void>('DELETE', `/dispatches/${id(dispatch)}/lock`),
  /** Whom I can call by hand for it: who was asked first. */
  peopleToCall: (dispatch: string) => request<{ items: Callable[] }>('GET', `/dispatches/${id(dispatch)}/call`),
  /** I call this person for it: a job of mine. */
  callByHand: (dispatch: string, to: { contact: string; destination: string }) => request<void>('POST', `/dispatches/${id(dispatch)}/call`, to),
  /** The message to this telephone, now. */
  textByHand: (dispatch: string, to: { contact: string; destination: string }) => request<void>('POST', `/dispatches/${id(dispatch)}/text`, to),
  skip: (dispatch: string, moves?: number) => request<void>('POST', `/dispatches/${id(dispatch)}/skip`, { moves }),

  seat: () => request<SeatView>('GET', '/seat'),
  seats: () => request<Page<SeatView>>('GET', '/seats'),
  setSeat: (state: 'ready' | 'not_ready', reason?: string) => request<void>('PUT', '/seat', { state, reason }),
  sip: () => request<SipAccess>('GET', '/seat/sip'),
  check: () => request<void>('POST', '/seat/check'),

  board: () => request<FloorView>('GET', '/board'),
  listen: (call: string, mode: ListenMode) => request<void>('POST', `/calls/${id(call)}/listen`, { mode }),
  moveCall: (call: string, to?: string) => request<void>('POST', `/calls/${id(call)}/move`, to ? { to } : {}),
  logOutSeat: (user: string) => request<void>('POST', `/seats/${id(user)}/log_out`),
  leave: (call: string) => request<void>('DELETE', `/calls/${id(call)}/listen`),

  acknowledgeAlarms: () => request<void>('POST', '/alarms/acknowledge'),
  dismissAlarm: (alarm: string) => request<void>('DELETE', `/alarms/${id(alarm)}`),

  abandoned: (filter: { abandoned: AbandonedKind | 'any'; cursor?: string; limit?: number }) =>
    request<Page<AbandonedView>>('GET', `/calls${query(filter)}`),
  callbacks: () => request<{ items: CallbackView[] }>('GET', '/callbacks'),
  ringBack: (call: string) => request<void>('POST', `/calls/${id(call)}/ring_back`),
  giveUpRinging: (call: string) => request<void>('DELETE', `/calls/${id(call)}/ring_back`),
  seenTo: (call: string) => request<void>('POST', `/calls/${id(call)}/seen_to`),

  finishJob: (attempt: string, outcome: JobOutcome) => request<void>('POST', `/jobs/${id(attempt)}/outcome`, outcome),
  giveBackJob: (attempt: string) => request<void>('POST', `/jobs/${id(attempt)}/give_back`),
  dialOut: (account: string, to: { contact: string; destination: string } | { number: string }) =>
    request<{ call: string }>('POST', '/calls', { account, ...to }),

  joinCalls: (call: string, other: string) => request<void>('POST', `/calls/${id(call)}/join`, { call: other }),
  call: (call: string, action: CallAction) => request<void>('POST', `/calls/${id(call)}/${action}`),
  patch: (call: string, to: PatchTo, cold: boolean) => request<void>('POST', `/calls/${id(call)}/patch`, { ...to, cold }),
  patches: (call: string) => request<{ items: CallPatch[] }>('GET', `/calls/${id(call)}/patches`),
  pass: (call: string, to: string | null, note: string) =>
    request<void>('POST', `/calls/${id(call)}/pass`, { to: to ?? undefined, note: note || undefined }),
  changeAccount: (call: string, account: string) => request<void>('POST', `/calls/${id(call)}/account`, { account }),
  /** What whoever rings back says is their PIN. */
  /** `dispatch`: what a caller names by its reference who calls from no number of theirs. */
  showPin: (call: string, account: string, pin: string, dispatch?: string) => request<void>('POST', `/calls/${id(call)}/rings_back/pin`, { account, pin, dispatch }),
  /** Who rings back has heard what they had a notice of. */
  toldAsked: (call: string, dispatch: string, edition: number) => request<void>('POST', `/calls/${id(call)}/rings_back/told`, { dispatch, edition }),
  /** `vouched`: who the caller is, by the operator's word; else the PIN is asked for. */
  sendToCheckIn: (call: string, vouched?: string) => request<void>('POST', `/calls/${id(call)}/check_in`, { vouched }),
  ask: (call: string, user: string) => request<void>('POST', `/calls/${id(call)}/ask`, { user }),
  keys: (call: string, keys: string) => request<void>('POST', `/calls/${id(call)}/keys`, { keys }),
  takeForm: (call: string) => request<ServerDraft | undefined>('POST', `/calls/${id(call)}/form`),
  wrapUpDone: (call: string, disposition: string) =>
    request<void>('POST', `/calls/${id(call)}/wrap_up_done`, { disposition }),
};
