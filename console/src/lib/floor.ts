// The floor as a supervisor reads it: who sits where with which call, who is listened to. Pure.

import { causeWords, doesHear, endWords } from './hears';
import type { CallView, ListenMode, ListenerView, Party, SeatView } from './types';

/** A seat and the calls that are at it. */
export interface SeatRow {
  seat: SeatView;
  calls: CallView[];
}

/** Seats with people at them: those with calls first, then who could take one, then the rest, each by name. */
export function seatRows(seats: SeatView[], calls: CallView[]): SeatRow[] {
  const rank = (row: SeatRow) => (row.calls.length > 0 ? 0 : row.seat.state === 'ready' ? 1 : row.seat.state === 'wrap_up' ? 2 : 3);
  return seats
    .map((seat) => ({ seat, calls: calls.filter((c) => c.seat === seat.user.id && c.state !== 'ended' && !isAlone(c)) }))
    .filter((row) => row.seat.state !== 'offline' || row.calls.length > 0)
    .sort((a, b) => rank(a) - rank(b) || a.seat.user.name.localeCompare(b.seat.user.name));
}

/** Caller and contact talk on; their operator has left. Or the contact has too, and a supervisor talks with the caller. */
export function isAlone(call: CallView): boolean {
  if (isWithSupervisor(call)) return true;
  return call.patch?.state === 'dropped' && call.state !== 'ended' && call.state !== 'wrap_up';
}

/** The contact has hung up on a patch without an operator: whoever has barged in talks with the caller. */
export function isWithSupervisor(call: Pick<CallView, 'state' | 'patch'>): boolean {
  return call.state === 'patched' && call.patch === null;
}

/** What a supervisor is told when a call ends under them. `before`: as it was. */
export function overWords(before: CallView, now: CallView): string {
  const either = before.state === 'patched' && before.patch !== null && now.ended?.cause === 'hung_up';
  return `The call you listened to is over: ${either ? 'the caller or the contact hung up' : endWords(now)}.`;
}

/** Patches whose operator has left, the oldest first. */
export function alone(calls: CallView[]): CallView[] {
  return calls.filter(isAlone).sort((a, b) => a.started_at - b.started_at);
}

/** Callers whom nobody of ours has yet, and who do not wait: on their way through the flow. The oldest first. */
export function onTheirWay(calls: CallView[]): CallView[] {
  const there: readonly string[] = ['greeting', 'menu', 'voicemail', 'check_in', 'announcement', 'spilling', 'reaching'];
  return calls.filter((c) => there.includes(c.state)).sort((a, b) => a.started_at - b.started_at);
}

/** Callers at nobody's seat whom somebody parked, or passed on to an operator who has not come yet. Who waits longest comes first. */
export function parked(calls: CallView[]): CallView[] {
  const since = (call: CallView) => call.parked?.since ?? call.state_since;
  return calls.filter((c) => c.state === 'parked').sort((a, b) => since(a) - since(b));
}

/** Callers who are left to whoever comes on shift: parked, on hold, in talks, with a form not finished. Who has been there longest first. */
export function inTheHouse(calls: CallView[]): CallView[] {
  const there: readonly string[] = ['talking', 'held', 'parked', 'consulting', 'patching', 'conference', 'patched', 'wrap_up', 'ringing_back'];
  return calls.filter((c) => there.includes(c.state) && !c.job).sort((a, b) => a.started_at - b.started_at);
}

/** Somebody of ours is with the caller, or was and left them with a contact. */
export function canListen(call: CallView): boolean {
  return ['talking', 'held', 'patching', 'consulting', 'conference', 'patched'].includes(call.state);
}

/** What the call is doing, in a few words. `operator`: who has it. */
export function stageWords(call: CallView): string {
  const contact = call.patch?.contact?.name ?? 'a number';
  switch (call.state) {
    case 'greeting':
      return 'hears the greeting';
    case 'menu':
      return 'chooses in the menu';
    case 'voicemail':
      return 'leaves a voicemail';
    case 'check_in':
      return 'checks in';
    case 'announcement':
      return 'hears an announcement';
    case 'spilling':
      return 'is rung elsewhere';
    case 'reaching':
      return call.patch ? (call.patch.state === 'asked' ? `${contact} is asked to take it` : `rings ${contact}`) : 'is put through';
    case 'queued':
      return 'waits';
    case 'offered':
      return 'rings';
    case 'ringing_back':
      return 'rings the caller back';
    case 'talking':
      return call.patch?.state === 'failed' ? `talking; ${contact} ${causeWords(call.patch.why)}` : 'talking';
    case 'held':
      return 'on hold';
    case 'parked':
      return call.parked?.slot == null ? 'passed on, on the way to a colleague' : `parked at ${call.parked.slot}`;
    case 'consulting':
      return 'asks a colleague';
    case 'patching':
      return call.patch?.state === 'private' ? `announcing to ${contact}` : `dialling ${contact}`;
    case 'conference':
      if (!call.patch) return 'all three, with a colleague';
      if (call.patch.state === 'held') return `talking; ${contact} waits`;
      return call.colleague?.joined ? `all four, with ${contact} and a colleague` : `all three, with ${contact}`;
    case 'patched':
      if (isWithSupervisor(call)) return 'talks with a supervisor; the contact has hung up';
      return `patched to ${contact}${call.patch?.recalled ? ', and wants an operator' : ''}`;
    case 'wrap_up':
      return 'finishes the form';
    case 'ended':
      return 'ended';
  }
}

/** What each party is called in a sentence. */
function nameOf(who: string, call: CallView, operator: string): string {
  if (who === 'operator') return operator;
  if (who === 'contact') return call.patch?.contact?.name ?? 'the contact';
  if (who === 'colleague') return 'the colleague';
  return who === 'caller' ? 'the caller' : who;
}

function list(names: string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function cap(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const PARTIES: Party[] = ['caller', 'operator', 'contact', 'colleague'];

/** Who hears whom, told by somebody who is none of them. Only worth saying while a patch stands. */
export function whoHears(call: CallView, operator: string): string {
  const talk = PARTIES.filter((who) => PARTIES.some((other) => other !== who && doesHear(call.hears, who, other) && doesHear(call.hears, other, who)));
  const said: string[] = [];
  if (talk.length > 1) said.push(`${cap(list(talk.map((who) => nameOf(who, call, operator))))} hear each other.`);
  for (const row of call.hears) {
    if (row.who === 'supervisor' || talk.includes(row.who)) continue;
    const heard = row.hears.filter((h) => h !== 'supervisor');
    const words = heard.map((h) => (h === 'music' ? 'music' : h === 'ringback' ? 'ringing' : h === 'prompt' ? 'a recording' : nameOf(h, call, operator)));
    said.push(`${cap(nameOf(row.who, call, operator))} hears ${list(words) || 'nothing'}.`);
  }
  return said.join(' ') || 'Nobody hears anybody.';
}

export const MODES: { mode: ListenMode; key: string; label: string }[] = [
  { mode: 'monitor', key: 'l', label: 'Listen' },
  { mode: 'whisper', key: 'w', label: 'Whisper' },
  { mode: 'barge', key: 'b', label: 'Barge' },
];

/** The mode that a plain key asks for, if it asks for one. */
export function modeOf(key: string | null): ListenMode | null {
  return MODES.find((mode) => mode.key === key)?.mode ?? null;
}

export const MODE_WORDS: Record<ListenMode, string> = { monitor: 'Listening', whisper: 'Whispering', barge: 'Barged in' };

/** The call that `me` listens to, or is about to. */
export function listening(calls: CallView[], me: string | undefined): { call: CallView; listener: ListenerView } | null {
  for (const call of calls) {
    const listener = call.listeners.find((l) => l.user.id === me);
    if (listener) return { call, listener };
  }
  return null;
}

/** An operator is on the line of it; one who has left it to others may still have its form. */
export function operatorIn(call: CallView): boolean {
  return call.hears.some((row) => row.who === 'operator');
}

/** Who hears a supervisor in this mode now: the one thing nobody may be wrong about. */
export function whoHearsMe(call: CallView, listener: ListenerView, operator: string): string {
  if (!listener.there) return 'Your telephone is being connected.';
  const ears = listener.mode === 'monitor' ? [] : PARTIES.filter((who) => doesHear(call.hears, who, 'supervisor'));
  const whom = listener.mode === 'whisper' ? ears.filter((who) => who === 'operator') : ears;
  if (whom.length === 0) {
    const nobody = listener.mode === 'whisper' && !operatorIn(call);
    return nobody ? 'No operator is in the call: nobody hears you. Barge in to be heard.' : 'Nobody hears you.';
  }
  const names = cap(list(whom.map((who) => nameOf(who, call, operator))));
  const others = whom.length === 1 && PARTIES.some((who) => who !== whom[0] && call.hears.some((h) => h.who === who)) ? ', nobody else' : '';
  return `${names} ${whom.length === 1 ? 'hears' : 'hear'} you${others}.`;
}

/** What the operator of a call is told of those who listen to it. */
export function listenerWords(listener: ListenerView): string {
  const name = listener.user.name;
  if (!listener.there) return `${name} is about to listen.`;
  switch (listener.mode) {
    case 'monitor':
      return `${name} listens.`;
    case 'whisper':
      return `${name} whispers: only you hear it.`;
    case 'barge':
      return `${name} is in the call: everybody hears it.`;
  }
}
