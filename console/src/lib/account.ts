// Setting accounts up: what a page writes, and where what was wrong belongs. Pure.

import type { ContactBody, ProtocolBody } from './api';
import { tidiedShape } from './shape';
import type { AccountSettings, CallType, Contact, Fault, Field, Method, ProtocolVersion, ReachKind, Role, Step, Trigger, Urgency, WholeAccount } from './types';

/** Who may change accounts. */
export function mayEdit(role: Role | undefined): boolean {
  return role === 'admin' || role === 'supervisor';
}

const SETTINGS: readonly (keyof AccountSettings)[] = [
  'name', 'zone', 'color', 'answer_phrase', 'notes', 'faq', 'dids', 'caller_id', 'greeting', 'apology', 'comfort',
  'priority', 'ring_secs', 'max_wait_secs', 'undo_secs', 'leave_message', 'recording', 'patching', 'queueing', 'secure', 'mail', 'ages',
];

export function pick<T, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

/** The settings of an account with some of them changed, as they are sent. */
export function settingsOf(account: WholeAccount, change: Partial<AccountSettings>): AccountSettings & { edition: number } {
  return { ...pick(account as AccountSettings, SETTINGS), ...change, edition: account.edition };
}

/** A deep copy of plain data. */
export function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Equal whatever the order of keys: what was sent comes back in the server's. */
export function same(a: unknown, b: unknown): boolean {
  return stable(a) === stable(b);
}

/** The keys of rows are this page's own, and say nothing of what is in them. */
function stable(value: unknown): string {
  const sorted = (_: string, v: unknown): unknown =>
    v !== null && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).filter(([name]) => name !== 'key').sort(([x], [y]) => (x < y ? -1 : 1))) : v;
  return JSON.stringify(value, sorted);
}

/** What is wrong at a place, in a sentence or two; nothing if all is well. */
export function faultAt(faults: readonly Fault[], pointer: string): string | undefined {
  const found = faults.filter((f) => f.pointer === pointer);
  return found.length ? found.map((f) => `${f.detail} ${f.cure}`).join(' ') : undefined;
}

/** Skills as the server writes them, but for their order: words would jump while they are typed. */
export function readSkills(text: string): string[] {
  const words = text.split(',').map((skill) => skill.trim().replace(/\s+/g, ' ').toLowerCase());
  return [...new Set(words.filter((skill) => skill !== ''))];
}

/** A row of the editor of call types. The key holds while rows are moved; it is not sent. */
export interface TypeRow {
  key: string;
  id?: string;
  name: string;
  urgency: Urgency;
  triggers: string;
  /** Words to look for, one a line. */
  words: string;
  /** Answers to look for. */
  answers: Extract<Trigger, { kind: 'answer' }>[];
  fields: FieldRow[];
  protocol: string | null;
  /** Texts, emails and recaps say only that there is a message. */
  protected: boolean;
  priority: number | null;
}

export interface FieldRow {
  key: string;
  field: Field;
}

/** `was`: the rows shown before. A row that is the same thing keeps its key, so that it stays open and keeps the focus; what was new is known by its place. */
export function typeRows(types: readonly CallType[], was: readonly TypeRow[] = []): TypeRow[] {
  const before = (t: CallType, at: number) => was.find((row) => row.id === t.id) ?? (was[at] && was[at].id === undefined ? was[at] : undefined);
  return types.map((t, at) => keyed(t, before(t, at)));
}

function keyed(t: CallType, was: TypeRow | undefined): TypeRow {
  return {
    key: was?.key ?? t.id,
    id: t.id,
    name: t.name,
    urgency: t.urgency,
    triggers: t.triggers,
    words: (t.watched ?? []).flatMap((w) => (w.kind === 'words' ? [w.words] : [])).join('\n'),
    answers: (t.watched ?? []).flatMap((w) => (w.kind === 'answer' ? [copy(w)] : [])),
    fields: t.form.fields.map((f, at) => {
      const there = was?.fields.find((row) => row.field.name === f.name) ?? (was?.fields[at]?.field.name === '' ? was.fields[at] : undefined);
      return { key: there?.key ?? f.name, field: copy(f) };
    }),
    protocol: t.protocol,
    protected: t.protected ?? false,
    priority: t.priority ?? null,
  };
}

/** Rows that were new when they were sent have their names now; what was typed in them meanwhile stays. */
export function adoptIds(rows: readonly TypeRow[], now: readonly TypeRow[]): TypeRow[] {
  return rows.map((row) => {
    const id = row.id ?? now.find((there) => there.key === row.key)?.id;
    return id === undefined ? row : { ...row, id };
  });
}

export function typesBody(rows: readonly TypeRow[]): unknown[] {
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    urgency: row.urgency,
    triggers: row.triggers,
    // A type that is not urgent suggests nothing.
    watched: row.urgency === 'urgent' ? watchedOf(row) : [],
    form: { fields: row.fields.map((f) => tidied(f.field)) },
    protocol: row.urgency === 'not_legitimate' ? null : row.protocol,
    protected: row.protected,
    priority: row.priority ?? undefined,
  }));
}

/** Words are written one a line; empty lines are none. */
function watchedOf(row: TypeRow): Trigger[] {
  const words = row.words.split('\n').map((line) => line.trim()).filter(Boolean);
  return [...words.map((w): Trigger => ({ kind: 'words', words: w })), ...row.answers];
}

/** Choices are written one a line; empty lines are none. */
function tidied(field: Field): Field {
  const { kind } = field;
  const shape = tidiedShape(field.shape);
  const { shape: _written, ...rest } = field;
  const one: Field = shape ? { ...rest, shape } : rest;
  if (kind.kind !== 'choice' && kind.kind !== 'several') return one;
  return { ...one, kind: { ...kind, options: kind.options.filter((o) => o.trim() !== '') } };
}

/** Fields before `at` that a condition may look at: not sensitive ones, and those that have a name to be meant by. */
export function conditionsFor(fields: readonly FieldRow[], at: number): Field[] {
  return fields.slice(0, at).map((f) => f.field).filter((f) => f.label.trim() !== '' && (f.sensitive ?? 'no') === 'no');
}

/** How a field is meant before the server has named it. */
export function keyOf(field: Field): string {
  return field.name || field.label;
}

let made = 0;
/** A key for a row that the server does not know yet. */
export function freshKey(): string {
  made += 1;
  return `new-${Date.now().toString(36)}-${made}`;
}

/** A new call type asks what nearly every one does. */
export function newType(): TypeRow {
  const field = (name: string, label: string, kind: Field['kind']): FieldRow => ({
    key: freshKey(),
    field: { name, label, kind, required: true, brief: true },
  });
  return {
    key: freshKey(),
    name: '',
    urgency: 'routine',
    triggers: '',
    words: '',
    answers: [],
    protocol: null,
    protected: false,
    priority: null,
    fields: [
      field('name', 'Name', { kind: 'text' }),
      field('callback', 'Callback number', { kind: 'phone' }),
      field('message', 'Message', { kind: 'long_text' }),
    ],
  };
}

export function move<T>(items: T[], from: number, by: number): T[] {
  const to = from + by;
  if (to < 0 || to >= items.length) return items;
  const moved = [...items];
  const [item] = moved.splice(from, 1);
  moved.splice(to, 0, item!);
  return moved;
}

export function contactBody(contact: Contact | null): ContactBody {
  if (!contact) return { name: '', title: '', language: null, zone: null, destinations: [{ label: 'mobile', reach: { kind: 'phone', address: '' }, ring_secs: 30, hours: [] }] };
  return {
    name: contact.name,
    title: contact.title,
    language: contact.language ?? null,
    zone: contact.zone ?? null,
    destinations: contact.destinations.map((d) => ({ id: d.id, label: d.label, reach: copy(d.reach), ring_secs: d.ring_secs, hours: copy(d.hours ?? []) })),
  };
}

/** A pager's address, `5550142@metro`, as its two parts. */
export function pagerParts(address: string): { pin: string; carrier: string } {
  const at = address.lastIndexOf('@');
  return at < 0 ? { pin: address, carrier: '' } : { pin: address.slice(0, at), carrier: address.slice(at + 1) };
}

/** Methods that can be chosen. */
export const METHODS: readonly { id: string; label: string; method: Method; takes: ReachKind | 'nobody' }[] = [
  { id: 'email', label: 'Email', method: { kind: 'email' }, takes: 'email' },
  { id: 'email_confirm', label: 'Email, ask for a confirmation by reply', method: { kind: 'email_confirm' }, takes: 'email' },
  { id: 'text', label: 'Text', method: { kind: 'text' }, takes: 'phone' },
  { id: 'text_confirm', label: 'Text, ask for a confirmation', method: { kind: 'text_confirm' }, takes: 'phone' },
  { id: 'call', label: 'Call', method: { kind: 'call_out', leave_message: false }, takes: 'phone' },
  { id: 'call_leave', label: 'Call, leave a message if nobody takes it', method: { kind: 'call_out', leave_message: true }, takes: 'phone' },
  { id: 'operator', label: 'Call by an operator', method: { kind: 'operator_call', leave_message: false, then_machine: false }, takes: 'phone' },
  { id: 'operator_leave', label: 'Call by an operator, leave a message if nobody takes it', method: { kind: 'operator_call', leave_message: true, then_machine: false }, takes: 'phone' },
  { id: 'operator_machine', label: 'Call by an operator, the machine after 60 s', method: { kind: 'operator_call', leave_message: false, then_machine: true }, takes: 'phone' },
  { id: 'operator_machine_leave', label: 'Call by an operator, the machine after 60 s, leave a message', method: { kind: 'operator_call', leave_message: true, then_machine: true }, takes: 'phone' },
  { id: 'live_patch', label: 'Live patch: the operator puts the caller through', method: { kind: 'live_patch' }, takes: 'phone' },
  { id: 'pager', label: 'Page', method: { kind: 'pager' }, takes: 'pager' },
  { id: 'webhook', label: 'Post it to their own system (webhook)', method: { kind: 'webhook' }, takes: 'webhook' },
  { id: 'secure_message', label: 'Secure message', method: { kind: 'secure_message', confirm: false }, takes: 'inbox' },
  { id: 'secure_confirm', label: 'Secure message, ask for a confirmation', method: { kind: 'secure_message', confirm: true }, takes: 'inbox' },
  { id: 'fax', label: 'Fax', method: { kind: 'fax', tries: 3, retry_secs: 300 }, takes: 'fax' },
  { id: 'hold_for_check_in', label: 'Hold for check-in', method: { kind: 'hold_for_check_in', until: null }, takes: 'nobody' },
  { id: 'hold_for_recap', label: 'Hold for the recap', method: { kind: 'hold_for_recap' }, takes: 'nobody' },
];

export function methodId(method: Method): string {
  if (method.kind === 'operator_call') return `operator${method.then_machine ? '_machine' : ''}${method.leave_message ? '_leave' : ''}`;
  if (method.kind === 'secure_message') return method.confirm ? 'secure_confirm' : 'secure_message';
  if (method.kind !== 'call_out') return method.kind;
  return method.leave_message ? 'call_leave' : 'call';
}

export function newStep(): Step {
  return { method: { kind: 'email' }, to: [], wait_secs: 0 };
}

/** The next version of a protocol, or a new one, to be written. */
export function protocolBody(protocol: ProtocolVersion | null, types: readonly CallType[]): ProtocolBody {
  if (!protocol) return { name: '', steps: [newStep()], repeat: null, until: 'handed_over', call_types: [] };
  return {
    name: protocol.name,
    steps: copy(protocol.steps),
    repeat: protocol.repeat,
    until: protocol.until,
    call_types: types.filter((t) => t.protocol === protocol.id).map((t) => t.id),
  };
}

/** Of each name the version in force, else the newest; versions come newest first. */
export function currentProtocols(all: readonly ProtocolVersion[], types: readonly CallType[]): ProtocolVersion[] {
  const inForce = all.filter((p) => types.some((t) => t.protocol === p.id));
  const newest = all.filter((p, at) => all.findIndex((other) => other.name === p.name) === at);
  return [...inForce, ...newest.filter((p) => !inForce.some((f) => f.name === p.name))];
}

/**
 * What the next version of a protocol is written upon: the version in force, else the newest, or what has been published since
 * version `since` was the newest. Null: there is none of that name.
 */
export function writtenUpon(all: readonly ProtocolVersion[], types: readonly CallType[], name: string, since: number): ProtocolBody | null {
  const shown = currentProtocols(all, types).find((p) => p.name === name);
  if (!shown) return null;
  const now = protocolBody(shown, types);
  const newest = all.find((p) => p.name === name);
  if (!newest || newest.version <= since || newest === shown) return now;
  // Not in force yet: it would be for the same call types.
  return { ...protocolBody(newest, types), call_types: now.call_types };
}
