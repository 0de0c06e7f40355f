// The tour: which of its steps are done, and which is next. Pure: facts are gathered from what the sandbox shows.

import type { PhoneView, SandboxState } from './types';

export const facts = ['handset', 'answered', 'texted', 'replied', 'rang', 'patched', 'parted', 'mailed'] as const;
export type Fact = (typeof facts)[number];
export type Seen = Partial<Record<Fact, boolean>>;

export interface Step {
  id: string;
  /** Where to press. */
  where: 'desk' | 'here';
  text: string;
  /** Ticked by itself once this was seen; steps without one are ticked by the next one that is. */
  fact?: Fact;
  /** Another way, not a step on it. */
  optional?: boolean;
}

export interface Chapter {
  title: string;
  steps: Step[];
}

export const chapters: Chapter[] = [
  {
    title: '1 · Your first call',
    steps: [
      { id: 'sign-in', where: 'desk', text: 'Open the desk in a second tab and sign in as kim. Do the ready check; at its end press “Go to the desk, ready for calls”.' },
      { id: 'handset', where: 'here', text: 'Press “Pick up the handset”: it lets you talk and listen on these phones.', fact: 'handset' },
      { id: 'dial', where: 'here', text: 'You are the caller: on your phone choose a company, Imaginary Plumbing for example. You hear its greeting.', fact: 'answered' },
      { id: 'take', where: 'desk', text: 'The desk beeps and the call is answered. Read the answer phrase aloud, keep the call type Urgent and fill in the form.' },
      { id: 'save', where: 'desk', text: 'Save it with Ctrl+Enter, then hang up with F10. Ten seconds later the dispatch starts; until then it can be taken back.', fact: 'texted' },
    ],
  },
  {
    title: '2 · A person confirms',
    steps: [
      { id: 'read', where: 'here', text: 'The phone of the technician on call shows the text. It says which code to reply.' },
      { id: 'reply', where: 'here', text: 'Send that reply (such as 1ok): the green button under the text does it. The desk then says who confirmed.', fact: 'replied' },
      { id: 'ignore', where: 'here', text: 'Or do not reply. After 15 minutes, or when the operator opens the dispatch and presses Skip, the phone rings: answer, press 1, hear the message to its end, and press 1 again when the voice asks for it (2 rings the caller and joins the two of you).', fact: 'rang', optional: true },
    ],
  },
  {
    title: '3 · Patch a caller through',
    steps: [
      { id: 'again', where: 'here', text: 'Call again. The desk answers by itself once the operator is done with the last call (Ctrl+↓).' },
      { id: 'patch', where: 'desk', text: 'Press F8, and Enter for who is on call: the caller hears music.' },
      { id: 'answer', where: 'here', text: 'Answer the phone that rings. You and the operator are private: the caller still hears music.', fact: 'patched' },
      { id: 'join', where: 'desk', text: 'Press F9: all three hear each other. Shift+F9: the operator drops off, the two talk on.' },
      { id: 'part', where: 'here', text: 'Hang up your phone. Save the form in the desk: instead of a text, its record says who was put through.', fact: 'parted' },
    ],
  },
];

const inCall = (phone: PhoneView) => phone.state === 'talking';

/** What is newly seen in `state`; facts once seen stay. */
export function gather(seen: Seen, state: SandboxState, handsetUp: boolean): Seen {
  const on = (fact: Fact, now: boolean) => (now ? { [fact]: true } : {});
  return {
    ...seen,
    ...on('handset', handsetUp),
    ...on('answered', inCall(state.caller)),
    ...on('texted', state.phones.some((p) => p.texts.some((t) => !t.mine))),
    ...on('replied', state.phones.some((p) => p.texts.some((t) => t.mine && !t.failed))),
    ...on('rang', state.phones.some((p) => p.state === 'ringing') && !inCall(state.caller)),
    ...on('patched', state.phones.some(inCall) && inCall(state.caller)),
    ...on('parted', !!seen.patched && state.caller.state === 'idle'),
    ...on('mailed', state.mailboxes.some((m) => m.mails.length > 0)),
  };
}

/** For each step whether it is done: seen itself, or a later one of its chapter was. */
export function progress(seen: Seen): { done: Set<string>; next: string | null } {
  const done = new Set<string>();
  let next: string | null = null;
  for (const chapter of chapters) {
    const last = chapter.steps.reduce((at, step, i) => (step.fact && seen[step.fact] && !step.optional ? i : at), -1);
    chapter.steps.forEach((step, i) => {
      if (step.fact ? seen[step.fact] : i < last) done.add(step.id);
    });
    next ??= chapter.steps.find((step) => !done.has(step.id) && !step.optional)?.id ?? null;
  }
  return { done, next };
}

/** `+12025550110` as people read it. */
export function readable(number: string | null): string {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number ?? '');
  return parts ? `${parts[1]} ${parts[2]} ${parts[3]}` : (number ?? 'unknown number');
}

/** `83000` ms as `1:23`. */
export function elapsed(ms: number): string {
  const secs = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(secs / 60)}:${String(secs % 60).padStart(2, '0')}`;
}

/** The reply that a text asks for (“reply 1ok”), to be offered as a button. */
export function askedReply(body: string): string | null {
  return /\b(\d{1,3}ok)\b/i.exec(body)?.[1] ?? null;
}

export interface Company {
  name: string;
  phones: PhoneView[];
}

/** The phones under the company of each, in the order they come; their titles say "company · what it is". */
export function byCompany(phones: PhoneView[]): Company[] {
  const found = new Map<string, PhoneView[]>();
  for (const phone of phones) {
    const [name, ...rest] = phone.title.split(' · ');
    const shown = rest.length ? { ...phone, title: rest.join(' · ') } : phone;
    const company = rest.length ? name! : 'Others';
    found.set(company, [...(found.get(company) ?? []), shown]);
  }
  return [...found].map(([name, list]) => ({ name, phones: list }));
}
