// What the keys and buttons do. A "no" from the server is told in its own words, never as a code.

import { accounts } from './accounts.svelte';
import { Problem, api, type CallAction, type PatchTo, type RecordingAct } from '../lib/api';
import { mayEdit } from '../lib/account';
import { byPin } from '../lib/asked';
import { joinDoes } from '../lib/joinKey';
import { hasTwoCallers, toJoin } from '../lib/joining';
import type { Action } from '../lib/keys';
import { callMeant, hangUpMeant } from '../lib/middle';
import { callerHungUp, wasInVain } from '../lib/outgoing';
import { FORGOTTEN, testAgain } from '../lib/recheck';
import { isPausedByHand } from '../lib/recording';
import type { AlarmView, AskedView, CallView, JobOutcome, JobView } from '../lib/types';
import { callers } from './callers.svelte';
import { contactName, desk } from './desk.svelte';
import { forms } from './forms.svelte';
import { questions } from './faq.svelte';
import { held } from './held.svelte';
import { read } from './read.svelte';
import { notices } from './notices.svelte';
import { phone } from './phone.svelte';
import { presses } from './presses';
import { router } from './router.svelte';
import { session } from './session.svelte';
import { settings } from './settings.svelte';
import { sheet } from './sheet.svelte';
import { watch } from './watch.svelte';

class Overlays {
  help = $state(false);
  search = $state(false);
  seat = $state(false);
}

export const overlays = new Overlays();

async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    notices.show(error instanceof Problem ? error.message : 'That did not work.');
    return false;
  }
}

function onCall(call: CallView, action: CallAction): Promise<boolean> {
  return attempt(() => api.call(call.id, action));
}

/** The operator has nothing more to do on it but the form. */
export function isOver(call: CallView): boolean {
  // In the check-in nobody of ours is with the caller.
  return call.state === 'wrap_up' || call.state === 'patched' || call.state === 'check_in' || call.state === 'ended';
}

/** The call a key is meant for: the one in the middle, else the one she speaks on. */
export function current(): CallView | null {
  return callMeant(desk.call, desk.mine);
}

export async function take(id?: string): Promise<void> {
  const call = id ?? desk.offered?.id ?? phone.ringing?.id ?? desk.waiting?.call.id ?? desk.feed.queue.waiting[0]?.call;
  if (!call) {
    notices.show('No call is waiting.', 'info');
    return;
  }
  router.go({ name: 'desk' });
  const notComing = desk.want(call);
  await phone.unlock();
  // It rings here already: answering is enough. Otherwise the server is asked to bring it.
  if (!phone.answer(call) && !(await attempt(() => api.call(call, 'take')))) notComing();
}

export async function hold(): Promise<void> {
  const call = current();
  if (!call) return;
  if (call.state === 'held') await onCall(call, 'retrieve');
  else if (call.state === 'talking') await onCall(call, 'hold');
  else if (call.patch) notices.show('While you patch, the caller hears music already.', 'info');
}

/** She speaks herself: no more of her recording. */
export async function speak(): Promise<void> {
  const call = current();
  if (call?.state === 'talking') await onCall(call, 'speak');
}

/** The caller waits at a slot; whoever fetches them gets the form as it is now. */
export async function park(): Promise<void> {
  const call = current();
  if (!call) return;
  if (call.state !== 'talking' && call.state !== 'held') {
    notices.show(call.patch ? 'In a patch nobody can be parked: join and drop off, or give it up.' : 'There is no caller on the line to park.', 'info');
    return;
  }
  await forms.flushed(call.id);
  if (await onCall(call, 'park')) notices.say(`${call.account.name}: the caller is parked.`);
}

export async function fetchParked(id?: string): Promise<void> {
  const chosen = desk.parked.find((c) => c.id === (id ?? desk.chosenParked)) ?? desk.parked[0];
  if (!chosen) {
    notices.show('Nobody is parked.', 'info');
    return;
  }
  desk.chosenParked = null;
  router.go({ name: 'desk' });
  const notComing = desk.want(chosen.id);
  await phone.unlock();
  if (!(await onCall(chosen, 'fetch'))) notComing();
}

export function openPass(): void {
  const call = current();
  if (!call) return;
  if (call.state !== 'talking' && call.state !== 'held' && call.patch?.state !== 'joined') {
    notices.show('There is no caller on the line to give to anybody.', 'info');
    return;
  }
  desk.select(call.id);
  const open = !desk.passing;
  desk.closePickers();
  desk.passing = open;
}

/** To a colleague, or (null) back to the head of the queue. */
export async function pass(call: CallView, to: { id: string; name: string } | null, note: string): Promise<void> {
  await forms.flushed(call.id);
  if (!(await attempt(() => api.pass(call.id, to?.id ?? null, note)))) return;
  desk.passing = false;
  // With nobody of ours beside the caller no pause lasts.
  if (isPausedByHand(call)) notices.show(`${call.account.name}: the recording goes on, which you had paused.`, 'info');
  notices.say(to ? `The caller goes to ${to.name}.` : 'The caller is back at the head of the queue.');
}

export function openKeypad(): void {
  const call = current();
  if (!call) return;
  desk.select(call.id);
  const open = !desk.keypad;
  desk.closePickers();
  desk.keypad = open;
}

export function openAccounts(): void {
  const call = current();
  if (!call) return;
  if (call.state !== 'talking' && call.state !== 'held') {
    notices.show('The account is changed while you have the caller.', 'info');
    return;
  }
  desk.select(call.id);
  const open = !desk.renaming;
  desk.closePickers();
  desk.renaming = open;
}

export async function changeAccount(call: CallView, account: { id: string; name: string }): Promise<void> {
  if (await attempt(() => api.changeAccount(call.id, account.id))) desk.renaming = false;
}

/** Held messages for one of the account's people: by PIN, or by her word for who they are. */
export function openCheckIn(): void {
  const call = current();
  if (!call) return;
  if (call.state !== 'talking' && call.state !== 'held') {
    notices.show('There is no caller on the line to check in.', 'info');
    return;
  }
  desk.select(call.id);
  const open = !desk.checkingIn;
  desk.closePickers();
  desk.checkingIn = open;
}

export async function sendToCheckIn(call: CallView, vouched: { id: string; name: string } | null): Promise<void> {
  if (!(await attempt(() => api.sendToCheckIn(call.id, vouched?.id)))) return;
  desk.checkingIn = false;
  notices.say(vouched ? `The caller hears what is held, as ${vouched.name}.` : 'The caller is asked for the PIN.');
}

export async function record(call: CallView, act: RecordingAct): Promise<void> {
  await onCall(call, `recording/${act}`);
}

/** Begins to record, or stops: where the account leaves it to her. */
export async function toggleRecording(): Promise<void> {
  const call = current();
  if (!call || isOver(call)) notices.show('There is no call to record.', 'info');
  else if (call.recording.mode === 'off') notices.show('Calls for this account are not recorded.', 'info');
  else if (call.recording.state === 'off') await record(call, 'start');
  else if (call.recording.mode === 'on_demand') await record(call, 'stop');
  else notices.show('The account has every call recorded: it can be paused (Alt+,).', 'info');
}

export async function pauseRecording(): Promise<void> {
  const call = current();
  if (call?.recording.state === 'on') await record(call, 'pause');
  else if (call && isPausedByHand(call)) await record(call, 'resume');
  else notices.show('There is no recording to pause.', 'info');
}

/** `shown`: the call whose button it was. The key means whom she has in the ear. */
export async function hangUp(shown?: CallView): Promise<void> {
  const call = shown ?? hangUpMeant(desk.call, desk.mine);
  if (!call) {
    const held = current();
    if (held?.state === 'held') notices.show(`Nobody is in your ear: the call for ${held.account.name} is on hold. F4 goes back to it, F10 then hangs up.`, 'info');
    return;
  }
  // Whoever is asked only leaves.
  if (desk.isAsked(call)) return phone.hangUp(call.id);
  if (hasTwoCallers(call)) {
    notices.show(`Two callers are in this call, and it would hang up on both. Shift F8 puts ${contactName(call)} on hold, F9 joins all three; “Hang up on …” ends it with that one alone.`, 'info');
    return;
  }
  if (isOver(call) || !(await onCall(call, 'hangup'))) return;
  if (desk.call && desk.call.id !== call.id) notices.show(`Hung up: the call for ${call.account.name}, which you were speaking on.`, 'info');
}

export function openPatch(): void {
  const call = current();
  if (!call) return;
  if (call.patch && call.patch.state !== 'failed') {
    notices.show('A patch is under way: F9 joins, ⇧F8 gives it up.', 'info');
    return;
  }
  if (call.state !== 'talking' && call.state !== 'held') {
    notices.show('There is no caller on the line to patch.', 'info');
    return;
  }
  desk.select(call.id);
  const open = !desk.picking;
  desk.closePickers();
  desk.picking = open;
}

/** `cold`: whoever answers is joined with the caller at once, unannounced. */
export async function dial(call: string, to: PatchTo, cold = false): Promise<void> {
  if (await attempt(() => api.patch(call, to, cold))) desk.picking = false;
}

/** The protocol's patch cannot be made: its next step follows. */
export async function skipPatch(dispatch: string): Promise<void> {
  const moves = presses.seen(dispatch, desk.feed.dispatches.find((d) => d.id === dispatch)?.moves, performance.now());
  await attempt(() => api.skip(dispatch, moves));
}

/** Whom to call with no caller on the line, and for whom. */
export function openDialOut(): void {
  router.go({ name: 'desk' });
  const open = !desk.dialling;
  desk.closePickers();
  desk.dialling = open;
}

export async function dialOut(account: string, to: { contact: string; destination: string } | { number: string }): Promise<void> {
  await phone.unlock();
  await attempt(async () => {
    const { call } = await api.dialOut(account, to);
    desk.want(call);
  });
}

/** The caller of a form that is left over, whether they hung up or were cut off. */
export async function ringBackLeft(): Promise<void> {
  const draft = desk.call || !desk.selected ? undefined : forms.find(desk.selected);
  if (!draft?.call || !draft.caller) return notices.show('No form of a caller who can be rung back is in front of you.', 'info');
  const account = accounts.list.find((a) => a.id === draft.account);
  if (!account || desk.feed.calls.some((c) => c.id === draft.call && c.state !== 'ended')) return notices.show('Their call is not over.', 'info');
  await phone.unlock();
  await callers.ringBack({ call: draft.call, account });
}

export async function finishJob(job: JobView, outcome: JobOutcome): Promise<void> {
  if (await attempt(() => api.finishJob(job.attempt, outcome))) notices.say('It is written down.');
}

export async function giveBackJob(job: JobView): Promise<void> {
  if (await attempt(() => api.giveBackJob(job.attempt))) notices.say(job.by_hand ? 'You have let go of the call; nobody else is asked to make it.' : 'The call is given back: another operator is asked.');
}

/** What who rings back was asked and nobody has answered yet, and what they have had no more than a notice of. */
export function openAsked(call: CallView): AskedView[] {
  const open = new Set(desk.feed.dispatches.filter((d) => d.closed_at === null).map((d) => d.id));
  return (call.rings_back?.dispatches ?? []).filter((asked) => asked.notice === true || open.has(asked.dispatch));
}

/** The PIN that who rings back has told; why it is not taken, if it is not. Kept nowhere. */
export async function showPin(call: CallView, account: string, pin: string, dispatch?: string): Promise<string | null> {
  try {
    await api.showPin(call.id, account, pin, dispatch);
    notices.say('That is their PIN.');
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** They have been told what it is about, and have said no yes to it. */
export async function toldAsked(call: CallView, asked: AskedView): Promise<void> {
  const edition = read.edition(asked.message, asked.edition);
  if (await attempt(() => api.toldAsked(call.id, asked.dispatch, edition))) notices.say(`${asked.name} was told: ${asked.headline}.`);
}

/** They say yes to what they were asked: this, or the first. */
export async function confirmAsked(call: CallView | null = current(), asked?: AskedView): Promise<void> {
  const { open, next } = byPin(call ? openAsked(call) : []);
  const first = asked ?? open[0];
  if (call?.rings_back && !first && next) {
    document.querySelector<HTMLInputElement>('[data-rings-back] input[type=password]')?.focus();
    notices.show(`First the PIN: ${next.name} asks for it before anything is read or confirmed.`, 'info');
    return;
  }
  if (!call?.rings_back || !first) {
    notices.show('Nobody who was asked is on the line.', 'info');
    return;
  }
  const name = first.name;
  const edition = read.edition(first.message, first.edition);
  if (first.notice) return toldAsked(call, first);
  if (await attempt(() => api.confirm(first.dispatch, name, 'rang back', edition))) notices.say(`${name} confirmed: ${first.headline}.`);
}

/** Talks with a colleague first; the caller hears music. */
export async function ask(call: CallView, colleague: { id: string; name: string }): Promise<void> {
  if (!(await attempt(() => api.ask(call.id, colleague.id)))) return;
  desk.passing = false;
  notices.say(`${colleague.name} is called. The caller hears music.`);
}

export async function handOver(call: CallView): Promise<void> {
  await forms.flushed(call.id);
  if (await onCall(call, 'ask/hand_over')) notices.say('The caller is handed over.');
}

export async function join(): Promise<void> {
  const call = current();
  const does = call && joinDoes(call, !desk.isAsked(call));
  if (!does) return;
  if (does === 'hand_over') await handOver(call);
  else if (does === 'join') await onCall(call, 'patch/join');
  else if (does === 'colleague_not_there') notices.show('Hand over is possible once your colleague is on the line.', 'info');
  else notices.show('Join is possible once the other party is on the line.', 'info');
}

export async function drop(): Promise<void> {
  const call = current();
  if (!call?.patch && !call?.colleague?.joined) return;
  if (!call.patch || call.patch.state === 'joined') await onCall(call, 'patch/drop');
  else notices.show('First join all three (F9), then drop off.', 'info');
}

/** Operator and caller alone, or operator and contact. */
export async function putAside(whom: 'hold' | 'private'): Promise<void> {
  const call = current();
  const up = ['private', 'held', 'joined'].includes(call?.patch?.state ?? '');
  if (call && up) await onCall(call, `patch/${whom}`);
  else notices.show('That is possible once the other party is on the line.', 'info');
}

/** Two of her calls become one: the caller of the one is the other's contact, and she is alone with them first. */
export async function joinCalls(): Promise<void> {
  const two = toJoin(desk.mine, desk.call);
  if (!two) {
    notices.show('That takes two callers of yours: one on the line, one on hold.', 'info');
    return;
  }
  if (!(await attempt(() => api.joinCalls(two.call.id, two.other.id)))) return;
  desk.select(two.call.id);
  notices.say('One call of two: you are with the contact, the caller hears music. Shift F8 brings you back to the caller, and the contact waits.');
}

/** The colleague who is asked is part of the call from now on. */
export async function joinColleague(): Promise<void> {
  const call = current();
  if (call?.colleague?.there && !call.colleague.joined && !desk.isAsked(call)) await onCall(call, 'ask/join');
  else notices.show('Ask a colleague first (Alt+G, then Shift+Enter).', 'info');
}

export async function nextNumber(): Promise<void> {
  const call = current();
  if (call?.patch?.next) await onCall(call, 'patch/next');
  else notices.show('There is no other telephone to try.', 'info');
}

export async function cancelPatch(): Promise<void> {
  const call = current();
  if (desk.picking) desk.picking = false;
  else if (call?.colleague && !desk.isAsked(call)) await onCall(call, 'ask/cancel');
  else if (call?.patch) await onCall(call, 'patch/cancel');
}

/** Hangs up on somebody who had called and was joined: no key does it, as a slip would lose them. */
export async function letGo(): Promise<void> {
  const call = current();
  if (call?.patch?.came_from) await onCall(call, 'patch/let_go');
}

export const DISPOSITIONS = [
  { id: 'message_taken', label: 'Message taken' },
  { id: 'patched', label: 'Patched through' },
  { id: 'information', label: 'Information given' },
  { id: 'not_legitimate', label: 'Sales, wrong number' },
  { id: 'caller_hung_up', label: 'Caller hung up' },
  { id: 'not_reached', label: 'Not reached' },
] as const;

/** What most likely became of the call. */
export function likelyDisposition(call: CallView): string {
  if (call.state === 'patched' || call.patch?.state === 'dropped' || call.patch?.state === 'joined' || desk.patchedThrough.has(call.id)) return 'patched';
  if (forms.saved.has(call.id)) {
    return forms.saved.get(call.id)?.message.urgency === 'not_legitimate' ? 'not_legitimate' : 'message_taken';
  }
  if (wasInVain(call)) return 'not_reached';
  return callerHungUp(call) ? 'caller_hung_up' : 'information';
}

export async function finish(call: CallView, disposition: string): Promise<void> {
  await attempt(() => api.wrapUpDone(call.id, disposition));
}

/** Whose wrap-up is in front of her. */
function wrappingUp(): CallView | null {
  return desk.call && isOver(desk.call) && !desk.call.job ? desk.call : null;
}

/** To what the call may have been: a digit or Enter says it. */
export function chooseDisposition(): void {
  if (!wrappingUp()) return notices.show('There is no wrap-up in front of you: hang up first.', 'info');
  document.querySelector<HTMLElement>('[data-likely]')?.focus();
}

/** Sales, a wrong number. With the caller still there it is the form that says so; it is saved without a dispatch. */
export async function notLegitimate(): Promise<void> {
  const over = wrappingUp();
  if (over) return finish(over, 'not_legitimate');
  const draft = desk.call ? forms.ofCall(desk.call.id) : undefined;
  const type = draft && accounts.find(draft.account)?.call_types.find((t) => t.urgency === 'not_legitimate');
  if (!draft) return notices.show('No call is in front of you.', 'info');
  if (!type) return notices.show('The account has no call type for what is not legitimate: hang up, then Alt+- finishes the call.', 'info');
  forms.setCallType(draft, type.id);
  notices.say(`${type.name}: nothing is dispatched.`);
}

/** As much time once more, where the account limits it. */
export async function moreWrapUp(): Promise<void> {
  const call = desk.call && isOver(desk.call) ? desk.call : desk.mine.find(isOver);
  if (!call) notices.show('There is no wrap-up to prolong.', 'info');
  else if (await onCall(call, 'wrap_up_more')) notices.say('The wrap-up is prolonged.');
}

export async function nextCall(): Promise<void> {
  // Only what she looks at: another call's wrap-up is not ended unseen.
  const call = desk.call;
  if (call?.job && isOver(call)) {
    notices.show('Say first what came of the call.', 'info');
    return;
  }
  if (call && isOver(call)) {
    await finish(call, likelyDisposition(call));
    return;
  }
  // Nothing to wrap up: the key walks through the calls on the desk.
  const ids = [...desk.mine.map((c) => c.id), ...forms.leftOver(desk.feed.calls).map((d) => d.id)];
  if (ids.length > 0) desk.select(ids[(ids.indexOf(desk.selected ?? '') + 1) % ids.length]!);
}

/** The account that she has in front of her. */
function accountAtHand(): string | undefined {
  return desk.call?.account.id ?? (desk.selected ? forms.find(desk.selected)?.account : undefined);
}

/** To the questions of the account in front of her, or to one of them. */
export function lookUp(question: string | null = null): void {
  if (!questions.account) return notices.show('Questions and answers are an account’s: no call or form is in front of you.', 'info');
  router.go({ name: 'desk' });
  questions.show(question);
}

async function readHeld(what: 'next' | 'delivered'): Promise<void> {
  const account = accountAtHand();
  if (!account) notices.show('Held messages are read out from a call: none is in front of you.', 'info');
  else await held[what](account, desk.call);
}

export async function save(): Promise<void> {
  const draft = desk.call ? forms.ofCall(desk.call.id) : desk.selected ? forms.find(desk.selected) : undefined;
  // Pressed once more to be sure: she hears that it is done.
  if (!draft) return notices.show(desk.call && forms.saved.has(desk.call.id) ? 'It is saved already.' : 'No form is in front of you.', 'info');
  const fault = await forms.save(draft);
  if (fault) focusField(fault);
}

/** What the client's list suggests. */
export function takeAsUrgent(): void {
  const draft = desk.call ? forms.ofCall(desk.call.id) : desk.selected ? forms.find(desk.selected) : undefined;
  const account = draft && accounts.find(draft.account);
  const type = draft && forms.callType(draft, account);
  const met = draft && account && type ? forms.met(draft, type, account) : null;
  if (!draft || !met) notices.show('Nothing of the client’s list is in this form.', 'info');
  else if (type?.urgency !== 'urgent') {
    forms.setCallType(draft, met.type.id);
    notices.say(`Taken as ${met.type.name}.`);
  }
}

/** A message for an account that nobody calls for. */
export function takeWithoutCall(account: { id: string }): void {
  const draft = forms.begin(account);
  desk.select(draft.id);
  router.go({ name: 'desk' });
}

export function focusField(name: string): void {
  const field = document.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"]`);
  field?.focus();
  field?.scrollIntoView({ block: 'nearest' });
}

export function focusFirstField(): void {
  const fields = [...document.querySelectorAll<HTMLInputElement>('[data-field]')];
  (fields.find((f) => f.value === '') ?? fields[0])?.focus();
}

/** She has seen to an alarm that nothing else takes back; it leaves every desk. */
export async function dismiss(alarm: AlarmView | undefined = desk.looseAlarms.find((a) => a.dismissible)): Promise<void> {
  if (!alarm) notices.show('No alarm can be dismissed: those of dispatches go when they are seen to.', 'info');
  else if (await attempt(() => api.dismissAlarm(alarm.id))) notices.say('The alarm is dismissed.');
}

/** She sees to all that stands; nobody beyond the desks is told of it for now. */
export async function acknowledge(): Promise<void> {
  if (!desk.feed.alarmChain?.waits.length) notices.show('There is no alarm that waits for somebody.', 'info');
  else if (await attempt(() => api.acknowledgeAlarms())) notices.say('The alarm is acknowledged: you see to it.');
}

/** The server has forgotten the check that was passed on this page: the line is tested once more, and nothing else asked for. Else why not. */
async function checkAgain(): Promise<string | null> {
  if (phone.link !== 'registered') return phone.why || 'The telephone is not connected yet.';
  await phone.unlock();
  await phone.mic().catch(() => undefined);
  if (phone.micFault) return phone.micFault;
  notices.show(`${FORGOTTEN} Your line is tested once more, with a tone; then you are ready.`, 'info');
  const check = () => phone.calls.find((call) => call.id === 'check');
  const failed = await testAgain({
    ask: () => api.check(),
    isThere: () => check() !== undefined,
    isUp: () => check()?.state === 'up',
    hangUp: () => phone.hangUp('check'),
    passed: () => desk.feed.seat?.checked !== false,
    wait: (ms) => new Promise((done) => setTimeout(done, ms)),
  });
  if (failed === null) phone.passed();
  return failed;
}

let checking: Promise<string | null> | null = null;

/** True if the seat is as wanted now. */
export async function setReady(ready: boolean, reason?: string): Promise<boolean> {
  // A desk phone needs neither this page's check nor its microphone.
  const headset = ready && desk.feed.seat?.desk_phone !== true;
  if (headset && phone.checkedAt === null && phone.proven) {
    // Pressed again meanwhile, it is the same.
    if (checking) return false;
    checking = checkAgain();
    const failed = await checking.finally(() => (checking = null));
    if (failed !== null) notices.show(`${FORGOTTEN} The ready check is asked for again: ${failed}`);
  }
  if (headset && phone.checkedAt === null) {
    router.go({ name: 'ready' });
    return false;
  }
  await phone.unlock();
  if (headset) await phone.mic().catch(() => undefined);
  if (headset && phone.micFault) {
    notices.show(phone.micFault);
    return false;
  }
  try {
    await api.setSeat(ready ? 'ready' : 'not_ready', reason);
    return true;
  } catch (error) {
    // The server believes its own check only, and forgets it when the console was gone for a while.
    if (ready && error instanceof Problem && error.status === 409) {
      const forgotten = headset && phone.checkedAt !== null && desk.feed.seat?.checked === false;
      phone.unpass();
      if (forgotten && phone.proven) return setReady(ready, reason);
      router.go({ name: 'ready' });
    }
    notices.show(error instanceof Problem ? error.message : 'That did not work.');
    return false;
  }
}

export function run(action: Action): void {
  switch (action) {
    case 'take':
      return void take();
    case 'hold':
      return void hold();
    case 'hang_up':
      return void hangUp();
    case 'park':
      return void park();
    case 'fetch':
      return void fetchParked();
    case 'speak':
      return void speak();
    case 'pass':
      return openPass();
    case 'keypad':
      return openKeypad();
    case 'check_in':
      return openCheckIn();
    case 'account':
      return openAccounts();
    case 'patch':
      return openPatch();
    case 'dial_out':
      return openDialOut();
    case 'ring_back':
      return void ringBackLeft();
    case 'confirm_asked':
      return void confirmAsked();
    case 'join':
      return void join();
    case 'drop':
      return void drop();
    case 'patch_hold':
      return void putAside('hold');
    case 'patch_private':
      return void putAside('private');
    case 'join_calls':
      return void joinCalls();
    case 'conference':
      return void joinColleague();
    case 'patch_next':
      return void nextNumber();
    case 'patch_cancel':
      return void cancelPatch();
    case 'next_call':
      return void nextCall();
    case 'mute':
      return phone.toggleMute();
    case 'save':
      // The form of a call is saved where it is seen, and nowhere else.
      if (sheet.open) return void sheet.open.save();
      return router.page.name === 'desk' ? void save() : undefined;
    case 'undo':
      return void (sheet.open?.undo() || forms.undo());
    case 'field_first':
      return focusFirstField();
    case 'faq':
      return lookUp();
    case 'held':
      return void readHeld('next');
    case 'held_read':
      return void readHeld('delivered');
    case 'urgent':
      return takeAsUrgent();
    case 'ready':
      return void setReady(desk.feed.seat?.state === 'not_ready' || desk.feed.seat?.state === 'offline');
    case 'seat_menu':
      overlays.seat = !overlays.seat;
      return;
    case 'record':
      return void toggleRecording();
    case 'record_pause':
      return void pauseRecording();
    case 'finish':
      return chooseDisposition();
    case 'not_legitimate':
      return void notLegitimate();
    case 'wrap_up_more':
      return void moreWrapUp();
    case 'quiet':
      return watch.quiet();
    case 'dismiss':
      return void dismiss();
    case 'acknowledge':
      return void acknowledge();
    case 'go_desk':
      return router.go({ name: 'desk' });
    case 'go_messages':
      return router.go({ name: 'messages' });
    case 'go_board':
      return router.go({ name: 'board' });
    case 'go_check':
      return router.go({ name: 'ready' });
    case 'go_accounts':
      if (mayEdit(session.user?.role)) router.go({ name: 'accounts' });
      return;
    case 'go_floor':
      if (mayEdit(session.user?.role)) router.go({ name: 'floor' });
      return;
    case 'go_hung_up':
      return router.go({ name: 'hung_up' });
    case 'go_handover':
      return router.go({ name: 'handover' });
    case 'go_audit':
      if (mayEdit(session.user?.role)) router.go({ name: 'audit' });
      return;
    case 'go_on_call':
      return router.go({ name: 'on_call' });
    case 'search':
      overlays.search = !overlays.search;
      return;
    case 'theme':
      return settings.nextTheme();
    case 'help':
      overlays.help = !overlays.help;
      return;
  }
}
