// What the server says to a client, as the portal's pages use it. The service's side of it is in `lib/clients`.

import type { Fault, Part, ProtocolChange, Right } from '../lib/clients';
import type { ProtocolBody } from '../lib/api';
import type { ReachWindow } from '../lib/reachHours';
import type { ProtocolVersion, Speech, StatusGreeting, Urgency } from '../lib/types';

export interface PortalAccount {
  id: string;
  name: string;
  color: string;
  zone: string;
  rights: Right[];
  state: 'draft' | 'in_service';
  /** What is still to be approved before it counts as live. */
  missing: Part[];
  /** What is another by now than what was approved. */
  changed: Part[];
}

export interface PortalHome {
  user: { id: string; login: string; name: string };
  accounts: PortalAccount[];
}

export interface PortalMessage {
  id: string;
  call_type: { id: string; name: string };
  urgency: Urgency;
  taken_at: number;
  /** Nobody: the caller has spoken it. */
  taken_by: string | null;
  protected: boolean;
  caller: string | null;
  headline: string | null;
  changed_at: number | null;
  dispatch: { state: string; words: string; confirmed_by: string | null; closed_at: number | null; needs_operator: boolean } | null;
  recorded: boolean;
}

export interface TimeLine {
  at: number;
  kind: string;
  text: string;
  who: string | null;
  /** Why this person, where the schedule said so. */
  why: string | null;
}

export interface PortalMessageWhole extends PortalMessage {
  answers: { label: string; text: string }[];
  timeline: TimeLine[];
  next: { at: number; text: string } | null;
}

export interface MessageFilter {
  open?: boolean;
  urgency?: Urgency;
  call_type?: { id: string; name: string };
  caller?: string;
  q?: string;
  /** Days of the account's clock, both included. */
  from?: string;
  to?: string;
}

export interface NightLine {
  at: number;
  message: string;
  text: string;
  /** Nobody: it was kept and had to be told to nobody. */
  state: string | null;
  needs_operator: boolean;
}

export interface Morning {
  date: string;
  from: number;
  until: number;
  lines: NightLine[];
  /** About which somebody is being told now, whenever it was taken; none where a date was asked for. */
  now: NightLine[];
}

export interface OnDuty {
  schedule: string | null;
  role: string;
  zone: string;
  people: { id: string; name: string; title: string }[];
  until: number | null;
  why: string;
  next: { people: { id: string; name: string; title: string }[]; from: number } | null;
}

export type Reach = 'phone' | 'email' | 'pager' | 'webhook' | 'inbox' | 'fax';
export type VerifyBy = 'text' | 'call' | 'email';

export interface PortalDestination {
  id: string;
  label: string;
  reach: { kind: Reach; address: string };
  ring_secs: number;
  /** They have asked for no texts. */
  blocked: boolean;
  /** When it is used; none: at any hour. */
  hours: ReachWindow[];
  verified: { at: number; by: VerifyBy } | null;
}

export interface PortalContact {
  id: string;
  name: string;
  title: string;
  language: string | null;
  zone: string | null;
  /** How their name is said in calls; null: as it is written. */
  spoken_as: string | null;
  destinations: PortalDestination[];
  pin_set_at: number | null;
}

export interface ContactEdit {
  edition?: number;
  name: string;
  title: string;
  language: string | null;
  zone: string | null;
  /** They are somebody else than the one of the same name. */
  namesake?: boolean;
  destinations: { id?: string; label: string; reach: { kind: Reach; address: string }; ring_secs: number; hours: ReachWindow[] }[];
}

export interface Use {
  kind: 'protocol' | 'schedule' | 'fallback' | 'override' | 'recap' | 'hours' | 'notice';
  text: string;
  /** The destination that is named, where it is one. */
  destination: string | null;
}

/** Something that callers hear. */
export interface PortalGreeting {
  /** Where the account has it; its sound is asked for by it. */
  at: string;
  title: string;
  recorded: boolean;
  /** Null: it can only be listened to. */
  words: string | null;
}

export interface PortalHoliday {
  name: string;
  /** `2026-11-26`, or `12-25` for every year. */
  date: string;
  span: { from: string; until: string } | null;
  greeting: Speech | null;
  like: string | null;
}

export interface RecapPlan {
  times: string[];
  to: { contact: string; destination: string }[];
  empty: boolean;
}

export interface PortalSettings {
  edition: number;
  zone: string;
  holidays: PortalHoliday[];
  status_greeting: StatusGreeting | null;
  greeting: Speech;
  recap: RecapPlan | null;
  next_recap_at: number | null;
}

export interface ReportDay {
  date: string | null;
  calls: number;
  answered: number;
  abandoned: number;
  messages: number;
  dispatches: Record<string, number>;
  wait_median_ms: number | null;
  wait_p90_ms: number | null;
  delivery_median_ms: number | null;
  delivery_p90_ms: number | null;
  patch_ms: number;
}

export interface Report {
  from: string;
  to: string;
  zone: string;
  days: ReportDay[];
  total: ReportDay;
}

/** Somebody who can be named in a step. */
export interface StepPerson {
  id: string;
  name: string;
  destinations: { label: string; kind: Reach }[];
}

export interface PortalProtocols {
  edition: number;
  items: (ProtocolVersion & { call_types: { id: string; name: string }[] })[];
  people: StepPerson[];
  roles: string[];
  /** All kinds of message that the account has. */
  call_types: { id: string; name: string }[];
}

export interface ChangeCheck {
  before: string[];
  after: string[];
  changes: string[];
  errors: Fault[];
  warnings: Fault[];
}

export type { Fault, Part, ProtocolBody, ProtocolChange, Right };
