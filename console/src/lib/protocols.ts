// Protocols that are being written: what would happen, what to begin with, and the versions there were. Pure.

import type { Contact, Fault, Field, ProtocolVersion, Step, Urgency } from './types';

/** What the people do who are asked. */
export type People = { kind: 'nobody' } | { kind: 'confirms'; step: number; after_minutes: number };

/** One thing that would happen. */
export interface OutlookLine {
  at: number;
  /** On the account's clock: `2026-03-07 02:15:00`. */
  local: string;
  /** Since the message was saved. */
  after_secs: number;
  kind: string;
  text: string;
  who: string | null;
  /** Counted from 1. */
  step: number | null;
  round: number;
  why: string[];
}

export interface Outlook {
  /** So much would happen that no more was looked at. */
  cut: boolean;
  lines: OutlookLine[];
  state: string;
  needs_operator: boolean;
  next: string | null;
}

export interface Simulation {
  outlook: Outlook | null;
  errors: Fault[];
  /** The steps that can be confirmed, counted from 1. */
  confirmable: number[];
}

/** Who plays a part of a template. */
export type Player = { kind: 'on_call'; role: string } | { kind: 'contact'; contact: string };

export interface Template {
  key: string;
  trade: string;
  name: string;
  says: string;
  urgency: Urgency;
  parts: { key: string; label: string; on_call: boolean; player: Player | null }[];
  text: string[];
}

export interface Fitted {
  name: string;
  steps: Step[];
  repeat: ProtocolVersion['repeat'];
  until: ProtocolVersion['until'];
}

export interface VersionView {
  id: string;
  name: string;
  version: number;
  made_at: number;
  made_by: { id: string; name: string } | null;
  brings_back: number | null;
  /** What it does otherwise than the version before; null: it is the first. */
  changes: string[] | null;
  in_force: string[];
  /** Open dispatches that run it. */
  running: { dispatch: string; message: string; reference: string; opened_at: number }[];
  text: string[];
}

/** The fields of a form whose answers some step looks at. */
export function lookedAt(steps: readonly Step[], fields: readonly Field[]): Field[] {
  const named = new Set(steps.flatMap((step) => (step.only?.answers ?? []).map((answer) => answer.field)));
  return fields.filter((field) => named.has(field.name));
}

/** Next Saturday at two in the morning, by the account's calendar: `2026-03-07T02:00`. The night nobody wants to find out about then. */
export function usualTime(now: number, zone: string): string {
  let parts: Intl.DateTimeFormatPart[];
  const options = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  try {
    parts = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone }).formatToParts(now);
  } catch {
    parts = new Intl.DateTimeFormat('en-GB', options).formatToParts(now);
  }
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  // A calendar date is the same everywhere: counted in UTC, where no hour is missing.
  const today = new Date(Date.UTC(part('year'), part('month') - 1, part('day')));
  const ahead = (6 - today.getUTCDay() + 7) % 7 || 7;
  const saturday = new Date(today.getTime() + ahead * 86_400_000);
  return `${saturday.toISOString().slice(0, 10)}T02:00`;
}

/** `+0:00`, `+15:30`, `+2:05:00`. */
export function afterWords(secs: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes, seconds] = [Math.floor(secs / 3600), Math.floor(secs / 60) % 60, secs % 60];
  return hours > 0 ? `+${hours}:${two(minutes)}:${two(seconds)}` : `+${minutes}:${two(seconds)}`;
}

/** The clock of a line, with the day where it is another than that of the line before. */
export function lineClock(line: OutlookLine, before: OutlookLine | undefined): string {
  const [day, time] = line.local.split(' ');
  return before !== undefined && before.local.split(' ')[0] !== day ? `${day} ${time}` : (time ?? line.local);
}

const ENDS: Record<string, string> = {
  running: 'still going on',
  confirmed: 'confirmed',
  told: 'done: a person has heard it',
  delivered: 'done: everything was accepted for delivery',
  exhausted_unconfirmed: 'the steps have run out and nobody has confirmed',
  held_for_recap: 'held for the recap',
  held_for_check_in: 'held until the client checks in',
  recapped: 'done: it was in the recap',
  read_at_check_in: 'done: the client has heard it',
};

/** How it stands at the end of the time looked at. */
export function endWords(outlook: Outlook, hours: number): string {
  const state = ENDS[outlook.state] ?? outlook.state.replaceAll('_', ' ');
  const needs = outlook.needs_operator ? '; an operator is needed' : '';
  return `${outlook.cut ? 'So much would happen that no more was looked at; then' : `After ${hours} h`}: ${state}${needs}.`;
}

/** Faults of the protocol, where they belong in it; what was wrong with the question is left out. */
export function ofProtocol(errors: readonly Fault[]): Fault[] {
  const prefix = '/protocol';
  return errors.filter((f) => f.pointer.startsWith(prefix)).map((f) => ({ ...f, pointer: f.pointer.slice(prefix.length) }));
}

/** Templates by trade, in the order in which they come. */
export function byTrade(templates: readonly Template[]): [string, Template[]][] {
  const trades = [...new Set(templates.map((t) => t.trade))];
  return trades.map((trade) => [trade, templates.filter((t) => t.trade === trade)]);
}

/** A player as the value of a choice, and back. */
export function playerKey(player: Player | null | undefined): string {
  if (!player) return '';
  return player.kind === 'on_call' ? `role ${player.role}` : `contact ${player.contact}`;
}

export function playersFrom(key: string): Player | null {
  const [kind, ...rest] = key.split(' ');
  const value = rest.join(' ');
  if (kind === 'role' && value) return { kind: 'on_call', role: value };
  if (kind === 'contact' && value) return { kind: 'contact', contact: value };
  return null;
}

/** Everybody who can play a part. */
export function playerChoices(contacts: readonly Contact[], roles: readonly string[]): { key: string; label: string }[] {
  return [
    ...roles.map((role) => ({ key: playerKey({ kind: 'on_call', role }), label: `${role} on call` })),
    ...contacts.map((c) => ({ key: playerKey({ kind: 'contact', contact: c.id }), label: c.title ? `${c.name}, ${c.title}` : c.name })),
  ];
}

/** Whose a version is: `by Kim Park`, or where it came from. */
export function authorWords(version: VersionView): string {
  const by = version.made_by ? `by ${version.made_by.name}` : 'from a file or the demo';
  return version.brings_back === null ? by : `${by}, brings back version ${version.brings_back}`;
}

/** Only the newest of its name cannot be brought back. */
export function canBringBack(version: VersionView, all: readonly VersionView[]): boolean {
  return all.some((other) => other.name === version.name && other.version > version.version);
}
