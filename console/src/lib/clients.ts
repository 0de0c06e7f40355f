// Clients' own log-ins, what they propose, and what they have approved: the part of the API that the service's console and the
// portal share, and its words. Knows nothing of what is shown.

import { query, request, type ProtocolBody } from './api';
import type { Fault } from './types';

export type Right = 'schedule' | 'messages' | 'contacts' | 'protocol' | 'reports' | 'recordings' | 'settings';
/** What a client approves before going live. */
export type Part = 'scripts' | 'contacts' | 'escalation';

export interface ClientUser {
  id: string;
  login: string;
  name: string;
  disabled: boolean;
  accounts: { account: { id: string; name: string }; rights: Right[] }[];
}

export interface ClientBody {
  login: string;
  name: string;
  password: string;
  accounts: { account: string; rights: Right[] }[];
}

export interface ProtocolChange {
  id: string;
  account: { id: string; name: string };
  proposed_by: { id: string; name: string };
  at: number;
  note: string;
  protocol: ProtocolBody;
  /** What is in force, in plain English: now while it waits, else as it was read. */
  before: string[];
  after: string[];
  changes: string[];
  /** Of what is read here, while it waits: an approval says which it has seen. */
  version: string | null;
  state: 'waiting' | 'approved' | 'refused' | 'withdrawn';
  decided: { by: { id: string; name: string }; at: number; words: string; version: number | null } | null;
  /** What is in force is another by now than when it was proposed. */
  stale: boolean;
  /** What it became is in force now. */
  in_force: boolean;
}

export interface GoingLivePart {
  part: Part;
  /** `changed`: another by now than what was approved. */
  state: 'open' | 'approved' | 'changed';
  /** Of what it is now; an approval says which it has seen. */
  version: string;
  lines: string[];
  /** Why there is nothing to approve of it yet, and who puts it there. */
  lacks: string | null;
  approved: { name: string; by: { id: string; name: string }; at: number; version: string; lines: string[] } | null;
}

export interface GoingLive {
  state: 'draft' | 'in_service';
  parts: GoingLivePart[];
  /** In service since before approvals were kept. */
  before: boolean;
  /** Ways to reach people of which nobody has seen that they do. */
  unverified: Untried[];
  /** When a test night was looked at before it went live. */
  test_night_at: number | null;
}

export interface Untried {
  name: string;
  destination: string;
  /** Urgent messages go there. */
  urgent: boolean;
}

export interface Approval {
  part: Part;
  version: string;
  /** Who says yes, in writing. */
  name: string;
  /** It may go live though urgent messages go by ways that nobody has verified. */
  accept_unverified?: boolean;
}

const id = encodeURIComponent;

/** What the service's own people do. */
export const clients = {
  all: () => request<{ items: ClientUser[] }>('GET', '/clients'),
  add: (body: ClientBody) => request<ClientUser>('POST', '/clients', body),
  change: (client: string, body: Partial<Omit<ClientBody, 'login'>> & { disabled?: boolean }) => request<ClientUser>('PATCH', `/clients/${id(client)}`, body),
  changes: (state?: ProtocolChange['state']) => request<{ items: ProtocolChange[] }>('GET', `/protocol_changes${query({ state })}`),
  approve: (change: string, version: string, words: string) => request<ProtocolChange>('POST', `/protocol_changes/${id(change)}/approve`, { version, words }),
  refuse: (change: string, words: string) => request<ProtocolChange>('POST', `/protocol_changes/${id(change)}/refuse`, { words }),
  goingLive: (account: string) => request<GoingLive>('GET', `/accounts/${id(account)}/going_live`),
  /** Puts down what a client has said by telephone. */
  putDownApproval: (account: string, body: Approval) => request<GoingLive>('POST', `/accounts/${id(account)}/approvals`, body),
};

/** Rights in the order in which they are given, and what each lets a client do. */
export const RIGHTS: readonly { id: Right; label: string; about: string }[] = [
  { id: 'messages', label: 'Messages', about: 'reads messages with their time lines, and the morning page' },
  { id: 'recordings', label: 'Recordings', about: 'plays recordings of calls; counts only with messages' },
  { id: 'schedule', label: 'On call', about: 'sees and changes who is on call' },
  { id: 'contacts', label: 'Contacts', about: 'changes people and their numbers, and approves them' },
  { id: 'protocol', label: 'Protocols', about: 'reads what happens with a message, proposes changes, approves the escalation' },
  { id: 'reports', label: 'Reports', about: 'sees usage and figures' },
  { id: 'settings', label: 'Holidays and greetings', about: 'changes holidays, status greeting and recap times, approves the scripts' },
];

const PARTS: Record<Part, string> = {
  scripts: 'what callers hear and are asked',
  contacts: 'whom we reach and how',
  escalation: 'what happens with a message',
};

export function partWords(part: Part): string {
  return PARTS[part];
}

export function partTitle(part: Part): string {
  return { scripts: 'Scripts', contacts: 'Contacts', escalation: 'Escalation' }[part];
}

/** "scripts, contacts and escalation". */
export function listWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `Dana Reyes: mobile, not verified yet. Urgent messages go there.` */
export function untriedWords(way: Untried): string {
  return `${way.name}: ${way.destination}, not verified yet.${way.urgent ? ' Urgent messages go there.' : ''}`;
}

/** How an account stands, as the service's people read it; empty where there is nothing to say. */
export function draftWords(account: { state: 'draft' | 'in_service'; missing: readonly Part[]; changed: readonly Part[] }): string {
  const missing = listWords(account.missing.map((p) => p as string));
  const changed = listWords(account.changed.map((p) => p as string));
  if (account.state === 'draft') return `Draft: the client has not approved ${missing || 'everything'} yet.${changed ? ` Changed since approved: ${changed}.` : ''}`;
  return changed ? `Changed since the client approved: ${changed}.` : '';
}

/** Rights with one given or taken. Without messages there are no recordings to hear. */
export function withRight(rights: readonly Right[], right: Right, given: boolean): Right[] {
  const wanted = new Set(rights);
  if (given) wanted.add(right);
  else wanted.delete(right);
  if (given && right === 'recordings') wanted.add('messages');
  if (!given && right === 'messages') wanted.delete('recordings');
  return RIGHTS.map((r) => r.id).filter((r) => wanted.has(r));
}

/** What a client sees, in a line. */
export function rightsWords(rights: readonly Right[]): string {
  return listWords(RIGHTS.filter((r) => rights.includes(r.id)).map((r) => r.label.toLowerCase())) || 'nothing but the state of the account';
}

/** When, and as which version. An approval publishes at once; what was published since is in force in its place. */
function approvedWords({ decided, in_force }: ProtocolChange, when: (at: number) => string): string {
  if (!decided) return '';
  const at = when(decided.at);
  if (decided.version === null) return ` ${at}`;
  return in_force ? ` ${at}; in force as version ${decided.version}` : `; was put in force as version ${decided.version} ${at}`;
}

/** What became of a proposal, in a sentence. `when` says its times. */
export function changeWords(change: ProtocolChange, when: (at: number) => string): string {
  const { decided } = change;
  const words = decided?.words ? ` “${decided.words}”` : '';
  switch (change.state) {
    case 'approved':
      return `Approved by ${decided?.by.name ?? 'the service'}${approvedWords(change, when)}.${words}`;
    case 'refused':
      return `Not taken over by ${decided?.by.name ?? 'the service'}${decided ? ` ${when(decided.at)}` : ''}.${words}`;
    case 'withdrawn':
      return 'Withdrawn.';
    default:
      return `Waiting for the service since ${when(change.at)}.`;
  }
}

/** Lines of one reading that are not in the other, each marked: what goes, what comes, what stays. */
export function lineDifferences(before: readonly string[], after: readonly string[]): { kind: 'gone' | 'new' | 'same'; text: string }[] {
  // The longest run of lines that both have in their order stays; lists are short.
  const long = before.map(() => new Array<number>(after.length + 1).fill(0));
  long.push(new Array<number>(after.length + 1).fill(0));
  for (let b = before.length - 1; b >= 0; b -= 1) {
    for (let a = after.length - 1; a >= 0; a -= 1) {
      long[b]![a] = before[b] === after[a] ? long[b + 1]![a + 1]! + 1 : Math.max(long[b + 1]![a]!, long[b]![a + 1]!);
    }
  }
  const lines: { kind: 'gone' | 'new' | 'same'; text: string }[] = [];
  let [b, a] = [0, 0];
  while (b < before.length || a < after.length) {
    if (b < before.length && a < after.length && before[b] === after[a]) {
      lines.push({ kind: 'same', text: before[b]! });
      b += 1;
      a += 1;
    } else if (a >= after.length || (b < before.length && long[b + 1]![a]! >= long[b]![a + 1]!)) {
      lines.push({ kind: 'gone', text: before[b]! });
      b += 1;
    } else {
      lines.push({ kind: 'new', text: after[a]! });
      a += 1;
    }
  }
  return lines;
}

export type { Fault };
