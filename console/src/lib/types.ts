// What the server sends and takes. Times are epoch milliseconds, ids are opaque strings, numbers are E.164.

import type { Part } from './clients';
import type { AnswerPhrase, DictationView, StatusGreeting } from './sounds';
import type { ReachWindow } from './reachHours';

export type Role = 'admin' | 'supervisor' | 'operator' | 'client' | 'staff';

export interface User {
  id: string;
  login: string;
  name: string;
  role: Role;
}

export interface AccountRef {
  id: string;
  name: string;
  color: string;
  zone: string;
}

export type Urgency = 'urgent' | 'routine' | 'not_legitimate';

export type FieldKind =
  | { kind: 'text' }
  | { kind: 'long_text' }
  | { kind: 'phone' }
  | { kind: 'number' }
  | { kind: 'date' }
  | { kind: 'time' }
  | { kind: 'yes_no' }
  | { kind: 'choice'; options: string[] }
  /** Any of a list; the answer has one a line. */
  | { kind: 'several'; options: string[] }
  /** A person of the account, by name. */
  | { kind: 'contact' };

export type Weekday = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';

export interface Field {
  name: string;
  label: string;
  kind: FieldKind;
  required?: boolean;
  brief?: boolean;
  /** Asked only where an earlier field has one of these answers; none: any. */
  shown_if?: { field: string; is?: string[] };
  /** Asked only at these hours, by the account's clock. */
  hours?: { days: Weekday[]; from: string; until: string };
  /** A card number and the like: in no draft, text or recording. */
  sensitive?: 'no' | 'kept' | 'not_kept';
  /** How long an answer is, between what, like which pattern. */
  shape?: Shape;
}

export interface Shape {
  /** Characters, of texts. */
  min_length?: number | null;
  max_length?: number | null;
  /** Of numbers, days and times. */
  min?: string | null;
  max?: string | null;
  /** `9` is a digit, `A` a letter, `*` anything, all else itself; one of them will do. */
  patterns?: string[];
  example?: string | null;
}

/** What makes a call one of a type, where it can be found in a form. */
export type Trigger = { kind: 'words'; words: string } | { kind: 'answer'; field: string; is: string };

/** Taken as urgent without a trigger, or not as urgent with one. */
export type Grading = 'raised' | 'lowered';

export interface Form {
  version: number;
  fields: Field[];
}

/** One thing that is wrong with what was written, at a JSON pointer into it. */
export interface Fault {
  pointer: string;
  code: string;
  detail: string;
  cure: string;
}

export interface FieldError {
  field: string;
  code: string;
  message: string;
  /** Only how it is written is wrong: an urgent message may be saved with it as it is. */
  format?: boolean;
}

export type Answers = Record<string, string>;

export interface CallType {
  id: string;
  name: string;
  urgency: Urgency;
  triggers: string;
  watched?: Trigger[];
  form: Form;
  protocol: string | null;
  /** What leaves in writing is a notice. */
  protected?: boolean;
  /** Callers who are known to call about this go before those of a lower one. */
  priority?: number | null;
}

/** A telephone, a mailbox, a fax machine, the person's secure inbox, a pager, the client's own system. */
export type ReachKind = 'phone' | 'email' | 'fax' | 'inbox' | 'pager' | 'webhook';

export interface Destination {
  id: string;
  label: string;
  /** Of an inbox the address says which other destination gets a notice where no device takes the message. */
  reach: { kind: ReachKind; address: string };
  ring_secs: number;
  blocked: boolean;
  /** When it is used; none: at any hour. */
  hours?: ReachWindow[];
}

export interface Contact {
  id: string;
  name: string;
  title: string;
  /** As a BCP 47 tag; none: the service's own. */
  language?: string | null;
  /** Of their hours; none: the account's. */
  zone?: string | null;
  destinations: Destination[];
}

export interface Protocol {
  id: string;
  name: string;
  version: number;
  /** The steps in plain English, one line each. */
  text: string[];
}

export interface OnCall {
  role: string;
  contact: { id: string; name: string; title?: string } | null;
  until: number | null;
  why: string;
}

export type { AccountRecording, AnswerPhrase, DictationView, StatusGreeting } from './sounds';

export type Speech =
  | { kind: 'recorded'; prompt: string }
  | { kind: 'uploaded'; recording: string }
  | { kind: 'spoken'; text: string };

export type Method =
  | { kind: 'email' | 'email_confirm' | 'text' | 'text_confirm' }
  | { kind: 'call_out'; leave_message: boolean }
  | { kind: 'operator_call'; leave_message: boolean; then_machine: boolean }
  /** `until`: a time of the account's day, `18:00`; none: as long as it takes. */
  | { kind: 'hold_for_check_in'; until?: string | null }
  /** Opened in the person's inbox, after the PIN. */
  | { kind: 'secure_message'; confirm?: boolean }
  | { kind: 'fax'; tries: number; retry_secs: number }
  | { kind: 'hold_for_recap' | 'pager' | 'live_patch' | 'webhook' };

export type Target =
  | { kind: 'on_call'; role: string; destination: string }
  | { kind: 'contact'; contact: string; destination: string };

export interface Step {
  method: Method;
  to: Target[];
  wait_secs: number;
  /** Made more than once before the next step is. */
  tries?: { times: number; apart_secs: number };
  /** What ends the dispatch in this step, where it is not what ends the protocol. */
  done?: Until;
  /** It only tells people: it ends nothing, and the next step follows at once. */
  informs?: boolean;
  /** When it is made at all. */
  only?: Conditions;
}

export type Until = 'confirmed' | 'told' | 'handed_over';

/** All that is said has to hold when the step starts. */
export interface Conditions {
  call_types?: string[];
  answers?: AnswerIs[];
  /** By the account's clock; `outside`: at all other times. */
  hours?: { days: Weekday[]; from: string; until: string; outside?: boolean };
  /** Windows or holidays of the account, by name. */
  windows?: string[];
}

/** One of these; none: answered at all. `not`: the other way round. */
export interface AnswerIs {
  field: string;
  is?: string[];
  not?: boolean;
}

/** A version of a protocol, whole. */
export interface ProtocolVersion extends Protocol {
  steps: Step[];
  repeat: { from_step: number } | null;
  until: Until;
}

/** Whose words a recording holds. */
export interface RecordedLegs {
  caller: boolean;
  operator: boolean;
  contact: boolean;
}

export interface RecordingPolicy {
  mode: 'off' | 'on' | 'on_demand';
  announcement: Speech | null;
  tell_contact: boolean;
  legs: RecordedLegs;
  /** What an email about a voicemail holds. */
  voicemail_mail: 'attached' | 'link';
}

/** What comes after the greeting. */
export type Flow =
  | { kind: 'queue'; priority?: number | null; call_type?: string | null; skills?: string[] }
  | { kind: 'menu'; menu: string }
  | { kind: 'voicemail'; speech: Speech; call_type: string; max_secs: number; silence_secs: number }
  | { kind: 'announcement'; speech: Speech }
  | { kind: 'check_in' }
  | { kind: 'patch'; whom: Whom[]; speech?: Speech | null; failed: Unreached }
  | { kind: 'spill'; number: string; ring_secs: number; failed: 'queue' | 'apology'; before_answer: boolean };

/** Who is rung for a caller. */
export type Whom = { by: 'role'; role: string } | { by: 'contact'; contact: string };

/** What becomes of a caller whom nobody takes. */
export type Unreached =
  | { kind: 'queue'; priority?: number | null; call_type?: string | null; skills?: string[] }
  | { kind: 'voicemail'; speech: Speech; call_type: string; max_secs: number; silence_secs: number }
  | { kind: 'apology' };

/** From one time of the day to another, of the next day if it is not later: `HH:MM`. */
export interface Span {
  from: string;
  until: string;
}

export interface Window extends Span {
  name: string;
  days: Weekday[];
  greeting: Speech | null;
  flow: Flow;
}

export interface Holiday {
  name: string;
  /** `2026-11-26`, or `12-25` for every year. */
  date: string;
  span: Span | null;
  greeting: Speech | null;
  flow: Flow;
}

export interface FlowOverride {
  from: number;
  until: number;
  reason: string;
  made_at: number;
  greeting: Speech | null;
  flow: Flow;
}

export interface Hours {
  usual: Flow;
  windows: Window[];
  holidays: Holiday[];
  overrides: FlowOverride[];
  /** A number of the account's that is for check-ins alone. */
  check_in?: string | null;
  /** What follows in place of the apology when somebody has waited for too long. */
  overdue?: Flow;
}

export interface MenuChoice {
  digits: string;
  label: string;
  next: string;
}

export interface MenuGather {
  step: 'gather';
  speech: Speech;
  choices: MenuChoice[];
  timeout_secs: number;
  retries: number;
  barge_in: boolean;
  invalid: Speech | null;
  silent: Speech | null;
  gave_up: string | null;
}

export type MenuCondition = { is: 'window'; name: string } | { is: 'withheld' } | { is: 'caller'; numbers: string[] };

/** Asks for a number, says it back and has it confirmed. */
export interface MenuDigits {
  step: 'digits';
  speech: Speech;
  /** What it is: "policy number". */
  label: string;
  /** The field of a form that it goes into, by name. */
  field?: string | null;
  min: number;
  max: number;
  say_back: boolean;
  /** What is said back, with `{digits}` in it; none: the house's words. */
  back?: string | null;
  timeout_secs: number;
  retries: number;
  barge_in: boolean;
  invalid: Speech | null;
  silent: Speech | null;
  next: string;
  gave_up: string | null;
}

/** A number that a caller entered in the menu. */
export interface Entered {
  label: string;
  field: string | null;
  digits: string;
  said_back: 'no' | 'confirmed' | 'unanswered';
}

export type MenuStep =
  | { step: 'play'; speech: Speech; next: string; barge_in: boolean }
  | MenuGather
  | MenuDigits
  | { step: 'branch'; on: MenuCondition; then: string; otherwise: string }
  | { step: 'exit'; flow: Flow };

export type MenuNode = { id: string } & MenuStep;

export interface Menu {
  name: string;
  start: string;
  nodes: MenuNode[];
  otherwise: Flow;
}

/** Hours and menus: written and put in force together. */
export interface CallWays {
  hours: Hours;
  menus: Menu[];
}

/** What counts for a call that arrives now. */
export interface FlowNow {
  at: number;
  why: string;
  window: string | null;
  flow: Flow;
  until: number | null;
}

/** A menu on somebody's telephone, as far as they have come. */
export interface TrialView {
  user: string;
  account: string;
  menu: string;
  state: 'ringing' | 'walking' | 'left' | 'over' | 'unreached';
  trail: string[];
  chosen: { key: string; label: string }[];
  missed: number;
  exit: Flow | null;
  says: string | null;
}

/** How callers wait, and what follows. */
export interface Queueing {
  skills: string[];
  skill_wait_secs: number;
  wrap_up_secs: number | null;
  when_overdue: 'apology' | 'callback';
  callback_after_secs: number | null;
  abandoned_alarm: boolean;
  /** What callers hear wherever there is music, in this order; none: the house's. */
  music: Speech[];
}

/** What is written of an account by those who set it up. */
export interface AccountSettings {
  name: string;
  zone: string;
  color: string;
  answer_phrase: string;
  notes: string;
  faq: Faq[];
  dids: string[];
  caller_id: string | null;
  greeting: Speech;
  apology: Speech;
  comfort: { every_secs: number; speech: Speech; further: Speech[]; position?: boolean } | null;
  priority: number;
  ring_secs: number;
  max_wait_secs: number;
  undo_secs: number;
  leave_message: 'callback_request' | 'nothing';
  recording: RecordingPolicy;
  /** `max_secs`: how long caller and contact may talk on alone. */
  patching: { max_secs: number | null };
  queueing: Queueing;
  /** `days`: how long a secure message can be opened. `accept_first`: texts have no link until somebody accepts. `call_pin`: what a call-out reads only after a PIN. */
  secure: { days: number; accept_first: boolean; call_pin: 'never' | 'protected' | 'always' };
  /** Its own words for emails; empty: the usual ones. */
  mail: { subject: string; text: string; html: string };
  /** From what age on its open dispatches are late; null: as the house has it. */
  ages: OwnAges;
}

/** An account as those who set it up see it. */
export interface WholeAccount extends Account, AccountSettings, CallWays {
  /** Counts each change: the next one says which it has seen. */
  edition: number;
  schedules: { role: string }[];
  /** What the client has still to approve, and what is another since. */
  going_live?: { state: 'draft' | 'in_service'; missing: Part[]; changed: Part[] };
}

/** That somebody has a PIN for check-ins; nobody: all of the account's people share it. */
export interface PinView {
  contact: string | null;
  set_by: { id: string; name: string };
  set_at: number;
}

/** When an account's recap goes out, and to whom. */
export interface RecapPlan {
  /** Times of the account's day: `08:00`. */
  times: string[];
  to: { contact: string; destination: string }[];
  empty: boolean;
  /** What goes along with each email: the report as pages, the messages as a table. */
  files: { pdf: boolean; csv: boolean };
}

export interface RecapState {
  plan: RecapPlan | null;
  next_at: number | null;
  last: {
    due_at: number;
    made_at: number;
    late: boolean;
    held: number;
    taken: number;
    to: { name: string; accepted_at: number | null; failed: string | null }[];
  }[];
}

/** Somebody who signs in, as admins see them. */
export interface UserLine {
  id: string;
  login: string;
  name: string;
  role: Role;
  disabled: boolean;
  /** What they can do for a caller: a language, a kind of case. */
  skills: string[];
}

/** A row of the audit log. */
export interface AuditRow {
  number: number;
  at: number;
  who: { kind: 'user' | 'contact' | 'account' | 'alarm_telephone' | 'command_line' | 'house' | 'nobody' | 'other'; id: string; name: string | null };
  /** `message.read` */
  act: string;
  object: string | null;
}

/** One account with all that a call for it needs. */
export interface Account {
  id: string;
  name: string;
  zone: string;
  color: string;
  answer_phrase: string;
  notes: string;
  dids: string[];
  undo_secs: number;
  call_types: CallType[];
  contacts: Contact[];
  protocols: Protocol[];
  on_call: OnCall[];
  /** The status board, the newest first. */
  status?: StatusLine[];
  status_greeting?: StatusGreeting | null;
  answer_phrases?: AnswerPhrase[];
  /** What callers ask again and again. */
  faq: Faq[];
}

/** A question of callers, and what is answered. */
export interface Faq {
  question: string;
  answer: string;
}

/** A line of an account's status board. */
export interface StatusLine {
  id: string;
  text: string;
  by: { id: string; name: string };
  at: number;
  until: number | null;
}

export type SeatState = 'offline' | 'not_ready' | 'ready' | 'offered' | 'talking' | 'wrap_up';

export interface SeatView {
  user: { id: string; name: string };
  state: SeatState;
  reason: string | null;
  since: number;
  /** A phone is registered. */
  phone?: boolean;
  /** Calls ring the desk phone, not this page. */
  desk_phone?: boolean;
  /** The media check was passed, as the server saw it; a desk phone needs none. */
  checked?: boolean;
  calls: string[];
  /** She speaks with a colleague on the desk phone. */
  aside?: boolean;
  /** A supervisor logged her out, and she has a call or a form to finish first. */
  sent_home?: boolean;
  /** What she can do for a caller. */
  skills?: string[];
}

export type CallState =
  | 'greeting'
  | 'menu'
  | 'voicemail'
  | 'check_in'
  | 'announcement'
  | 'spilling'
  | 'reaching'
  | 'queued'
  | 'offered'
  | 'ringing_back'
  | 'talking'
  | 'held'
  | 'parked'
  | 'consulting'
  | 'patching'
  | 'conference'
  | 'patched'
  | 'wrap_up'
  | 'ended';

export type PatchState = 'dialling' | 'ringing' | 'asked' | 'private' | 'held' | 'joined' | 'dropped' | 'failed';

export interface PatchView {
  state: PatchState;
  contact: { id: string; name: string } | null;
  /** Nobody rang them: they called, in this call, which was joined with the other. */
  came_from?: string | null;
  number: string;
  why?: string | null;
  since: number;
  /** Caller and contact are alone, and one of them wants an operator. */
  recalled?: boolean;
  /** The contact's telephone that is tried after this one. */
  next?: string | null;
  /** Whoever answers is joined with the caller at once. */
  cold?: boolean;
}

/** A number that was dialled for a caller, and what became of it. */
export interface CallPatch {
  contact: { id: string; name: string } | null;
  number: string;
  /** By the account's flow: no operator made it. */
  automated: boolean;
  /** Joined with the caller without having been told anything first. */
  cold: boolean;
  why_them: string | null;
  dialled_at: number;
  answered_at: number | null;
  joined_at: number | null;
  outcome: 'open' | 'failed' | 'not_accepted' | 'declined' | 'given_up' | 'joined';
  why: string | null;
  secs: number | null;
  alone_secs: number | null;
}

export type Party = 'caller' | 'operator' | 'contact' | 'colleague';

export interface HearsView {
  who: Party | 'supervisor';
  /** Parties, or `supervisor`, `music`, `ringback`, `prompt`. */
  hears: string[];
}

/** How one party of a call hears and is heard, of late: the worse of the two directions. */
export interface QualityView {
  call: string;
  who: Party | 'supervisor';
  /** Percent lost. */
  loss: number;
  jitter_ms: number;
  round_trip_ms: number | null;
}

export type RecordingState = 'off' | 'announcing' | 'on' | 'paused';

export interface CallView {
  id: string;
  account: AccountRef;
  account_brief: { answer_phrase: string; notes: string };
  did: string;
  caller: string | null;
  forwarded_from: string | null;
  state: CallState;
  seat: string | null;
  started_at: number;
  state_since: number;
  offered_until: number | null;
  /** The caller was promised to be called back, and this is that call. */
  ring_back?: { promised_in: string; since: number; tries: number } | null;
  /** The call does a job of a dispatch's. */
  job?: JobView | null;
  /** An operator dials out. */
  dialled?: { contact: { id: string; name: string } | null; label: string | null } | null;
  /** Why the caller comes, if not straight or not for the first time. */
  comes?: ComesView | null;
  /** Who calls has been asked by dispatches that are open. */
  rings_back?: RingsBackView | null;
  /** When the wrap-up ends by itself. */
  wrap_up_until?: number | null;
  patch: PatchView | null;
  hears: HearsView[];
  ended: { cause: string } | null;
  /** At nobody's seat and not in the queue: at a slot, or (no slot) on the way to another operator. */
  parked: ParkedView | null;
  /** Another operator who is asked about the caller. */
  colleague: { user: string; there: boolean; joined?: boolean; since: number } | null;
  /** An operator has talked with the caller: there may be a form that was begun. */
  taken: boolean;
  /** What the operator says who passed the caller on. */
  note: { by: string; text: string | null } | null;
  /** What the account wants, and how it stands. */
  recording: { mode: 'off' | 'on' | 'on_demand'; state: RecordingState; covered?: boolean; legs?: RecordedLegs };
  earlier: number;
  /** Supervisors in the call, or on the way into it. */
  listeners: ListenerView[];
  /** What the caller chose in the account's menu, in order. */
  chosen: { key: string; label: string }[];
  /** What they entered in the menu. */
  entered?: Entered[];
  /** What the call is about, as far as the menu says. */
  call_type: string | null;
}

/** A number that was rung by itself for a caller. */
export interface TriedView {
  contact: string | null;
  number: string;
  outcome: 'failed' | 'not_accepted' | 'declined';
  why: string | null;
}

/** Why a caller comes; operators are told by identifier. */
export interface ComesView {
  why:
    | { kind: 'nobody_reached'; tried: TriedView[] }
    | { kind: 'recalled'; by_caller: boolean; contact: string | null; number: string; there: boolean }
    | { kind: 'not_fetched' | 'fetched'; by: string; slot: number }
    | { kind: 'transfer_failed'; by: string; number: string; why: string }
    | { kind: 'not_taken'; by: string; to: string }
    | { kind: 'passed_on' | 'handed_over' | 'operator_lost'; by: string }
    | { kind: 'moved'; by: string; from: string }
    | { kind: 'spill_failed'; number: string; why: string }
    | { kind: 'from_check_in'; checked_in: boolean; contact: string | null; wrong_pins: number };
  /** The account's people who are named in it. */
  contacts: { id: string; name: string }[];
}

/** A call that a dispatch's step asks an operator to make. */
export interface JobView {
  attempt: string;
  dispatch: string;
  message: string;
  /** Whom to call, and what they call that telephone. */
  name: string;
  label: string;
  headline: string;
  urgency: Urgency;
  /** A request to call back may be left. */
  leave_message: boolean;
  /** The machine calls if no operator has taken it by then; else all desks are alarmed. */
  then_machine: boolean;
  /** An operator makes it by hand: it is nobody else's. */
  by_hand?: boolean;
  due_at: number;
  /** What came of it, once that was said. */
  outcome: JobOutcome['kind'] | null;
  /** It is not wanted any more as it was: the dispatch is over, or has gone on without it. */
  stood_down: boolean;
}

export type JobOutcome =
  | { kind: 'told' | 'confirmed' | 'left_with'; name: string }
  | { kind: 'refused' | 'left_on_voicemail' | 'no_answer' | 'busy' | 'wrong_number' };

/** A contact who rings back, as far as the number tells. */
export interface RingsBackView {
  contact: string;
  name: string;
  dispatches: AskedView[];
}

export interface AskedView {
  dispatch: string;
  /** Whom it has asked: of two who share a telephone, and of two clients' people, each is named where they were asked. */
  name: string;
  message: string;
  /** Which edition of it the headline is of. */
  edition: number;
  account: AccountRef;
  /** Empty as long as their PIN is asked for. */
  headline: string;
  urgency: Urgency;
  /** The account asks for their PIN before it is read to them, and before they confirm it. */
  pin?: boolean;
  /** A notice of it was handed over to them, and nothing is asked any more: it is read to them, and that they heard it is written down. */
  notice?: boolean;
  /** It is open, and so far they have had a notice of it alone: they may be told what it is about without saying yes. */
  unheard?: boolean;
}

export type ListenMode = 'monitor' | 'whisper' | 'barge';

export interface ListenerView {
  user: { id: string; name: string };
  mode: ListenMode;
  /** False while their telephone is being connected. */
  there: boolean;
  since: number;
}

/** The figures of a day so far. Times are counted from when the call came in. */
export interface Figures {
  since: number;
  offered: number;
  answered: number;
  in_time: number;
  abandoned_in_greeting: number;
  /** While the account's people were rung: they did not wait for an operator. */
  abandoned_put_through: number;
  abandoned_in_queue: number;
  abandoned_on_hold: number;
  abandoned_parked: number;
  abandoned_in_form: number;
  waited: number;
  no_operator: number;
  cut_off: number;
  longest_wait_ms: number;
  mean_wait_ms: number;
  mean_talk_ms: number;
  /** Percent; null while nobody has waited. */
  service_level: number | null;
  hours: { offered: number; answered: number; lost: number }[];
}

export interface FiguresView {
  service: Figures;
  /** Of whose clock the service's day and hours are. */
  zone: string;
  accounts: { account: string; figures: Figures }[];
}

export interface FloorView {
  seats: SeatView[];
  calls: CallView[];
  queue: QueueView;
  figures: FiguresView;
  answer_within_secs: number;
}

export interface ParkedView {
  slot: number | null;
  by: string;
  since: number;
  remind_at: number;
  return_at: number;
}

export interface Waiting {
  call: string;
  account: AccountRef;
  since: number;
  /** When they came back to the queue, if somebody had them before. */
  back_since?: number | null;
  priority: number;
  /** What the caller needs. */
  skills?: string[];
  /** Not on the line: to be called back. */
  ring_back?: boolean;
}

export type AbandonedKind = 'greeting' | 'menu' | 'voicemail' | 'put_through' | 'queue' | 'no_operator' | 'hold' | 'parked' | 'form' | 'cut_off';

/** How far ringing somebody back has come. */
export interface TriesView {
  made: number;
  most: number;
  /** When they are rung again, if that was still to come when it was told. */
  next_at: number | null;
  /** At that time, as soon as an operator is free, just now, or no more. */
  next: 'later' | 'when_free' | 'now' | 'never';
  /** Why there is no time, in words. */
  reason: string | null;
}

/** A caller who is to be rung back, or was not reached and nobody has seen to. */
export interface CallbackView {
  call: string;
  account: AccountRef;
  number: string;
  /** When they began to wait. */
  since: number;
  tries: TriesView;
  draft?: LeftDraft | null;
  /** Their calls to the account since its midnight. */
  calls_today?: number;
  /** Messages taken from them before. */
  earlier?: number;
}

/** A caller who hung up too early. */
export interface AbandonedView {
  call: string;
  account: AccountRef;
  did: string | null;
  caller: string | null;
  kind: AbandonedKind;
  started_at: number;
  ended_at: number;
  /** Who talked with them last. */
  operator: { id: string; name: string } | null;
  /** They are being rung back. */
  ring_back: boolean;
  /** How far that has come, if it was ever begun. */
  tries: TriesView | null;
  draft: LeftDraft | null;
  /** What they entered in the menu. */
  entered?: Entered[];
  /** What they chose in it, in order. */
  chosen?: string[];
  /** Of the account's people who were rung for them by itself and did not take the call. */
  rung?: string[];
  /** They hung up while that was under way. */
  put_through?: boolean;
  /** Their calls to the account since its midnight. */
  calls_today?: number;
  /** Messages taken from them before. */
  earlier?: number;
}

/** A form that was begun and left. */
export interface LeftDraft {
  id: string;
  owner: { id: string; name: string };
  call_type: string | null;
  answers: Answers;
}

export interface QueueView {
  waiting: Waiting[];
  ready: number;
  talking: number;
}

export interface Line {
  at: number;
  kind?: string;
  text: string;
  who?: string | null;
}

export interface DispatchView {
  id: string;
  message: string;
  /** What a person names who calls back about it: six digits. */
  reference: string;
  /** It was left with somebody, or on a voicemail. */
  reference_left?: boolean;
  /** Which edition of it the message is. */
  edition: number;
  account: AccountRef;
  state: string;
  /** How often it has gone on: sent along with what is done to its step. */
  moves?: number;
  /** The version of the protocol that it runs. */
  protocol?: string;
  /** The step that it is in, counted from 1; null: in none. */
  step?: number | null;
  urgency: Urgency;
  needs_operator: boolean;
  alarm: string | null;
  /** Since when that alarm stands. */
  alarm_at?: number | null;
  opened_at: number;
  /** Since when its message can be read at check-in; null: it cannot. */
  held_since: number | null;
  closed_at: number | null;
  undo_until: number | null;
  headline: string;
  /** The last thing that was done for whoever waits. */
  last: Line | null;
  next: Line | null;
  /** Of one that was closed: by whom and why, or how it was over. */
  ended?: Line | null;
  /** What comes when the wait that `next` tells of is over, whom and how first. */
  next_brief?: string | null;
  confirmed_by: string | null;
  /** Whom the protocol now asks to put the caller through to. */
  patches: PatchOffer[];
  /** Who works on it. */
  lock?: Lock | null;
  timeline: Line[];
}

/** Somebody whom the operator with the caller is asked to ring for them. */
export interface PatchOffer {
  call: string;
  contact: { id: string; name: string };
  /** What people call the telephone. */
  destination: string;
  begun: boolean;
  until: number;
}

/** A person who can be called by hand for a dispatch. */
export interface Callable {
  contact: { id: string; name: string };
  title: string;
  /** The step that it is in has asked them. */
  asked: boolean;
  /** One at least: the one they were asked by first. */
  telephones: { id: string; label: string; number: string; blocked: boolean }[];
}

/** An operator works on a dispatch. */
export interface Lock {
  by: { id: string; name: string };
  since: number;
  /** When it ends, unless they do something with it. */
  until: number;
}

/** From what age on an open dispatch is shown as late, in seconds. */
/** An account's own; null: as the house has it. */
export interface OwnAges {
  urgent_warning_secs: number | null;
  urgent_critical_secs: number | null;
  routine_warning_secs: number | null;
}

export interface Ages {
  urgent_warning_secs: number;
  urgent_critical_secs: number;
  routine_warning_secs: number;
}

export interface MessageView {
  id: string;
  account: AccountRef;
  call_type: { id: string; name: string };
  call: string | null;
  caller: string | null;
  urgency: Urgency;
  taken_by: { id: string; name: string } | null;
  taken_at: number;
  /** By which clock it is decided what was asked. */
  begun_at?: number;
  form: Form;
  /** Sensitive ones are with a single message alone, not in lists. */
  answers: Answers;
  /** Fields whose answers are not written as the form asks: it was urgent. */
  not_as_asked?: string[];
  /** Counted from 1; each change makes the next. */
  edition?: number;
  /** `unsent`: it was changed after delivery and not sent again, and why. */
  changed?: { by: { id: string; name: string }; at: number; unsent?: string } | null;
  /** Urgency otherwise than by the client's list, and why. */
  graded?: { how: Grading; trigger: string | null; reason: string } | null;
  dispatch: DispatchView | null;
}

/** A message as it was once. */
export interface EditionView {
  edition: number;
  by: { id: string; name: string } | null;
  at: number;
  call_type: { id: string; name: string };
  urgency: Urgency;
  caller: string | null;
  form: Form;
  answers: Answers;
  differences: { label: string; before: string | null; after: string | null }[];
}

/** How loud each side of a recording is, in up to 200 parts, from 0 to 100. */
export interface Peaks {
  length_ms: number;
  caller: number[];
  ours: number[];
  /** Whose words were recorded. */
  legs?: RecordedLegs;
}

/** What the next shift has to know. */
export interface Sheet {
  at: number;
  urgent: DispatchView[];
  unconfirmed: DispatchView[];
  waiting: Waiting[];
  callbacks: { call: string; account: AccountRef; number: string; since: number; tries: number }[];
  hung_up: number;
  gaps: { account: AccountRef; role: string; from: number; until: number }[];
  alarms: AlarmView[];
  status: { account: AccountRef; lines: StatusLine[] }[];
  lowered: MessageView[];
}

export interface AlarmView {
  id: string;
  level: 'warning' | 'critical';
  text: string;
  at: number;
  dispatch?: string | null;
  /** The message that it leads to, where its dispatch may be on no board. */
  message?: string;
  call?: string | null;
  /** Nothing else takes it back: an operator does, having seen to it. */
  dismissible: boolean;
}

/** Who is told of alarms beyond the desks, and who sees to them. */
export interface AlarmChain {
  begun_at: number;
  /** Alarms that nobody has acknowledged. */
  waits: string[];
  acknowledged: string[];
  told: Line[];
  by: Line | null;
  next: Line | null;
}

export interface Cursor {
  field: string;
  start: number;
  end: number;
}

export interface DraftBody {
  account: string;
  call_type?: string;
  call?: string;
  caller?: string;
  answers: Answers;
  cursor?: Cursor;
  /** What is asked at some hours alone is asked by this clock. */
  begun_at?: number;
  /** What stays out of a message in clear, by field, with the protected call type that it was typed for. */
  apart?: Record<string, string>;
  /** This browser has the other forms of its call too. */
  beside?: boolean;
}

export interface ServerDraft extends DraftBody {
  id: string;
  saved_at: number;
}

export interface Hello {
  type: 'hello';
  user: User;
  seat: SeatView;
  calls: CallView[];
  queue: QueueView;
  dispatches: DispatchView[];
  alarms: AlarmView[];
  alarm_chain?: AlarmChain | null;
  /** Why she is not ready, to choose from; empty: in her own words. */
  not_ready_reasons?: string[];
  /** The carriers that page, by the names that pagers' addresses end with. */
  pagers?: string[];
  /** The clients' systems that messages are posted to, by the names that destinations call them. */
  webhooks?: string[];
  /** From what age on an open dispatch is shown as late. */
  ages?: Ages;
}

export type FeedEvent =
  | Hello
  | { type: 'seat'; seat: SeatView }
  | { type: 'call'; call: CallView }
  | { type: 'call_gone'; id: string }
  | { type: 'queue'; queue: QueueView }
  | { type: 'dispatch'; dispatch: DispatchView }
  | { type: 'alarm'; alarm: AlarmView }
  | { type: 'alarm_gone'; id: string }
  | { type: 'alarm_chain'; chain: AlarmChain | null }
  | { type: 'figures'; figures: FiguresView }
  | { type: 'quality'; quality: QualityView }
  | { type: 'account'; id: string; edition: number }
  | { type: 'caller'; call: string; seen_to: boolean }
  | { type: 'trial'; trial: TrialView }
  | { type: 'dictation'; dictation: DictationView }
  | { type: 'pong' };

export interface Session {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user: User;
}

/** Where the softphone registers, and the relays it may speak by. */
export interface SipAccess {
  uri: string;
  ws: string;
  ice_servers: { urls: string[]; username: string; credential: string }[];
  /** Seconds until to be asked for again. */
  renew_in: number | null;
}

/** The email about an invented message. `html`: none, it goes as plain text alone. */
export interface MailPreview {
  subject: string;
  text: string;
  html: string | null;
  errors: Fault[];
  /** What a template can name. */
  fields: { name: string; what: string }[];
}

/** Somebody's secure inbox, as operators see it. */
export interface InboxState {
  has_pin: boolean;
  devices: { id: string; name: string; added_at: number; seen_at: number; push: 'on' | 'off' | 'gone' }[];
  invited_at: number | null;
  invited_until: number | null;
}
