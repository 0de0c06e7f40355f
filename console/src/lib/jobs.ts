// What can come of a call that a dispatch asks an operator to make, and what most likely did. Pure.

import type { CallView, JobOutcome, JobView } from './types';

export interface OutcomeChoice {
  kind: JobOutcome['kind'];
  /** The plain key that says it. */
  key: string;
  label: (name: string) => string;
  named: boolean;
}

export const OUTCOMES: readonly OutcomeChoice[] = [
  { kind: 'told', key: '1', label: (name) => `Told ${name}`, named: true },
  { kind: 'confirmed', key: '2', label: (name) => `${name} confirmed`, named: true },
  { kind: 'refused', key: '3', label: () => 'Refused', named: false },
  { kind: 'left_with', key: '4', label: (name) => `Callback request left with ${name}`, named: true },
  { kind: 'left_on_voicemail', key: '5', label: () => 'Callback request on voicemail', named: false },
  { kind: 'no_answer', key: '6', label: () => 'No answer', named: false },
  { kind: 'busy', key: '7', label: () => 'Busy', named: false },
  { kind: 'wrong_number', key: '8', label: () => 'Wrong number', named: false },
];

export const GIVE_BACK_KEY = '0';

/** Somebody was on the line. */
const ANSWERED: ReadonlySet<string> = new Set(['told', 'confirmed', 'refused', 'left_with', 'left_on_voicemail']);

/** What can be said now: nothing may be left where the account wants that, and nobody was told who was not reached. */
export function outcomes(job: JobView, call: CallView): OutcomeChoice[] {
  return OUTCOMES.filter((o) => {
    if (!job.leave_message && (o.kind === 'left_with' || o.kind === 'left_on_voicemail')) return false;
    return call.taken || !ANSWERED.has(o.kind);
  });
}

/** What the line says happened. */
export function likelyOutcome(call: CallView): JobOutcome['kind'] | null {
  if (call.taken || !call.ended) return null;
  switch (call.ended.cause) {
    case 'busy':
      return 'busy';
    case 'declined':
    case 'unwanted':
    case 'no_answer':
      return 'no_answer';
    case 'wrong_number':
      return 'wrong_number';
    default:
      return null;
  }
}

/** The outcome as it is sent. */
export function outcomeOf(choice: OutcomeChoice, name: string): JobOutcome {
  return choice.named ? ({ kind: choice.kind, name: name.trim() } as JobOutcome) : ({ kind: choice.kind } as JobOutcome);
}

/** What Enter belongs to, where it has the focus: it is pressed, followed or typed into. */
const OWNS_ENTER = ['BUTTON', 'A', 'INPUT', 'TEXTAREA', 'SELECT', 'SUMMARY'];

export function ownsEnter(focused: { tagName: string } | null): boolean {
  return focused !== null && OWNS_ENTER.includes(focused.tagName);
}

/** The outcome that a key means: its own digit, or Enter for the likely one where nothing else has a claim to it. */
export function choiceOf(key: string, choices: readonly OutcomeChoice[], likely: JobOutcome['kind'] | null, focused: { tagName: string } | null): OutcomeChoice | undefined {
  if (key === 'Enter') return ownsEnter(focused) ? undefined : choices.find((c) => c.kind === likely);
  return choices.find((c) => c.key === key);
}
