// What the desk does by itself: which call comes to the middle, what is said aloud, what beeps.

import { awayWords, followed, loggedOutWords, takenFrom, type Away } from '../lib/away';
import { hasContent } from '../lib/form';
import { causeOf, endWords } from '../lib/hears';
import { keyOf } from '../lib/keys';
import { pickMiddle } from '../lib/middle';
import { otherParty } from '../lib/outgoing';
import { patchedThrough } from '../lib/patched';
import { FORGOTTEN } from '../lib/recheck';
import { stillPaused } from '../lib/recording';
import { loggedOutBy } from '../lib/sentHome';
import { SPEAKING, myCalls } from '../lib/reduce';
import { alarmOf, hush, isHushed, wake, type Hushed } from '../lib/hush';
import { isUnsaved } from '../lib/draft';
import * as sound from '../lib/sound';
import { HOLD_REMINDER_MS } from '../lib/time';
import { NOBODY_WAITS, tellWaiting } from '../lib/waiting';
import { toldWaiting } from '../lib/waits';
import type { FeedState } from '../lib/reduce';
import type { CallView, FeedEvent } from '../lib/types';
import { accounts } from './accounts.svelte';
import { clock } from './clock.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';
import { notices } from './notices.svelte';
import { phone } from './phone.svelte';
import { session } from './session.svelte';

const PARK_REMINDER_MS = 20_000;
const ALARM_EVERY_MS = 9_000;
const RING_EVERY_MS = 3_000;
/** Then nobody needs the strip any more: whoever hung up is on the page *Hung up* until somebody has seen to them. */
const GONE_STAYS_MS = 5 * 60_000;

const TALKING = SPEAKING;

/** A caller who hung up where nobody was listening. */
export interface GoneCaller {
  call: string;
  account: CallView['account'];
  caller: string | null;
  where: string;
  at: number;
}

class Watch {
  private hushed = $state.raw<Hushed>(new Map());
  /** None of the alarms is heard now. */
  readonly isQuiet = $derived(desk.sounding.every((alarm) => isHushed(this.hushed, alarm, clock.now)));
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopListening: (() => void) | null = null;
  private alarmedAt = 0;
  private rangAt = 0;
  private reminded = new Map<string, number>();
  /** The waiting caller of whom she was told, and in what words. */
  private told = NOBODY_WAITS;
  private toldWords = '';
  /** What was said of calls on offer here. */
  private readonly pops = new Map<string, string>();
  /** Callers who hung up while on hold or parked, until she has looked, somebody has seen to them, or five minutes have passed. */
  gone = $state.raw<GoneCaller[]>([]);

  start(): void {
    if (this.timer) return;
    this.stopListening = desk.onEvent((event, before) => this.changed(event, before));
    this.timer = setInterval(() => this.tick(), 500);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.stopListening?.();
    this.stopListening = null;
  }

  /** An alarm rests for two minutes, or all that sound now; a new one, or one that has got worse, speaks up all the same. */
  quiet(alarm?: string): void {
    this.hushed = hush(this.hushed, alarm === undefined ? desk.sounding : [alarm], clock.now);
    notices.say(alarm === undefined ? 'The alarm is quiet for two minutes.' : 'This alarm is quiet for two minutes.');
  }

  /** Whether it is heard: it sounds, and does not rest. */
  isHeard(alarm: string): boolean {
    return desk.sounding.includes(alarm) && !isHushed(this.hushed, alarm, clock.now);
  }

  private speakUp(alarm: string): void {
    this.hushed = wake(this.hushed, alarm);
    this.alarmedAt = 0;
  }

  private changed(event: FeedEvent, before: FeedState): void {
    // One that says something else now has got worse, or is another.
    if (event.type === 'alarm' && before.alarms.find((a) => a.id === event.alarm.id)?.text !== event.alarm.text) {
      this.speakUp(event.alarm.id);
      notices.say(`Alarm: ${event.alarm.text}`);
    }
    if (event.type === 'dispatch' && event.dispatch.needs_operator) {
      const was = before.dispatches.find((d) => d.id === event.dispatch.id);
      if (!was?.needs_operator) {
        this.speakUp(alarmOf(event.dispatch));
        notices.say(`${event.dispatch.account.name} needs an operator. ${event.dispatch.alarm ?? ''}`);
      }
    }
    // The server forgets the check when this console was gone for a while: so do we.
    if ((event.type === 'seat' || event.type === 'hello') && desk.feed.seat?.checked === false && phone.checkedAt !== null) {
      phone.unpass();
      if (phone.proven) notices.show(`${FORGOTTEN} You are not ready: ${keyOf('ready')} tests your line once more, and you are.`, 'info');
    }
    const out = loggedOutWords(event, desk.feed.user?.id, before.seat?.reason);
    if (out) notices.show(out, 'info');
    if (out || desk.feed.seat?.sent_home) session.sentHomeBy = loggedOutBy(desk.feed.seat);
    if (event.type === 'call' || event.type === 'hello' || event.type === 'call_gone') this.calls(before, event.type === 'hello');
    if (event.type === 'caller' && event.seen_to) this.seen(event.call);
  }

  /** `anew`: the line was down, and what happened meanwhile was not told. */
  private calls(before: FeedState, anew: boolean): void {
    const was = new Map(myCalls(before).map((c) => [c.id, c]));
    desk.patchedThrough = patchedThrough(desk.patchedThrough, desk.mine);
    for (const call of desk.mine) {
      const old = was.get(call.id);
      if (!old) this.popped(call);
      else if (old.state !== call.state) this.moved(call, old);
      if (old && old.account.id !== call.account.id) this.renamed(call);
      // However it came about, a form is never of another account than its call.
      else if (!desk.isAsked(call)) void forms.changeAccount(call);
      if (old && desk.isAsked(old) && !desk.isAsked(call)) this.handedTo(call, desk.nameOf(old.seat ?? ''));
    }
    this.wentElsewhere();
    this.parked(before, anew);
    this.notBrought(was);
    const taken = this.taken(was);
    forms.letGo(desk.feed.calls, desk.feed.user?.id);
    forms.tidy(desk.mine, desk.feed.calls);
    this.tellTaken(taken);
    this.choose();
  }

  /** Calls that somebody else took from this desk just now. */
  private taken(was: Map<string, CallView>): Away[] {
    const taken: Away[] = [];
    for (const old of was.values()) {
      const how = takenFrom(old, desk.feed.calls.find((c) => c.id === old.id), desk.feed.user?.id);
      if (!how) continue;
      const draft = forms.ofCall(old.id);
      taken.push({ ...how, call: old.id, account: old.account, over: false, typed: draft !== undefined && hasContent(draft.answers) });
      // Once they are there, the form is no longer here.
      void forms.flushed(old.id).then(() => forms.letGo(desk.feed.calls, desk.feed.user?.id));
    }
    return taken;
  }

  private tellTaken(taken: Away[]): void {
    if (desk.away) desk.away = followed(desk.away, desk.feed.calls.find((c) => c.id === desk.away?.call));
    for (const away of taken) {
      const words = this.awayWords(away);
      if (away.call !== desk.selected) {
        notices.show(words, 'info');
        continue;
      }
      // No other form comes in its place: what she types on would be written into it.
      const wanted = desk.wanted;
      desk.select(null);
      desk.wanted = wanted;
      desk.away = away;
      notices.say(words);
    }
  }

  /** Who has the call, in words. */
  awayWords(away: Away): string {
    const draft = forms.ofCall(away.call);
    return awayWords(away, draft !== undefined && isUnsaved(draft), (user) => (user === desk.feed.user?.id ? 'you' : desk.nameOf(user)));
  }

  /** Callers whom this operator parked: fetched, back in the queue, or gone. */
  private parked(before: FeedState, anew: boolean): void {
    for (const old of before.calls) {
      if (old.state !== 'parked' || old.parked?.by !== desk.feed.user?.id || old.parked?.slot == null) continue;
      const now = desk.feed.calls.find((c) => c.id === old.id);
      if (!now && anew) {
        // Fetched, hung up, or cut off with the service: only the page knows.
        const slot = old.parked.slot;
        notices.show(`${old.account.name}: the caller parked at ${slot} is no longer there. Whoever hung up or was cut off is under Hung up (Alt+7).`, 'info');
      } else if (!now || now.state === 'ended') this.hungUp(old, `while parked at ${old.parked.slot}`);
      else if (now.state === 'queued') notices.show(`${old.account.name}: nobody fetched the caller parked at ${old.parked.slot}. They are back at the head of the queue.`, 'info');
    }
  }

  /** A call that was on its way here and did not come: whom she talked with is still on hold. */
  private notBrought(was: Map<string, CallView>): void {
    const failed = [...was.values()].some((c) => c.state === 'offered' && !desk.mine.some((m) => m.id === c.id));
    const held = desk.mine.find((c) => c.state === 'held');
    if (failed && held && !desk.talking) notices.show(`That call did not come to you. ${held.account.name} is still on hold: F4.`, 'info');
  }

  /** The call turned out to be for another account. */
  private renamed(call: CallView): void {
    void forms.changeAccount(call);
    void accounts.want(call.account.id);
    notices.say(`The call is for ${call.account.name} now. ${call.account_brief.answer_phrase}`);
  }

  /** The colleague who asked has handed the caller over. */
  private handedTo(call: CallView, from: string): void {
    void forms.adopt(call);
    const paused = stillPaused(call, from);
    if (paused) notices.show(paused, 'info');
    notices.say(`The caller of ${call.account.name} is yours now. ${this.why(call)}${call.account_brief.answer_phrase}`);
    if (!desk.isTyping) desk.select(call.id);
  }

  private hungUp(call: CallView, where: string): void {
    if (this.gone.some((g) => g.call === call.id)) return;
    this.gone = [...this.gone.slice(-3), { call: call.id, account: call.account, caller: call.caller, where, at: clock.now }];
    if (sound.isUnlocked()) sound.toneGone();
    notices.say(`${call.account.name}: the caller hung up ${where}.`);
  }

  /** She has seen that the caller hung up. */
  seen(call: string): void {
    this.gone = this.gone.filter((g) => g.call !== call);
  }

  /** A call has come to this seat. */
  private popped(call: CallView): void {
    if (desk.isAsked(call)) {
      notices.say(`${desk.nameOf(call.seat ?? '')} asks you about a caller of ${call.account.name}, who hears music.`);
      if (!desk.isTyping) desk.select(call.id);
      return;
    }
    if (call.taken) void forms.adopt(call);
    void accounts.want(call.account.id, true);
    if (call.caller && call.earlier > 0) void accounts.wantEarlier(call.account.id, call.caller);
    const rings = call.state === 'offered';
    const words = this.popWords(call, rings);
    if (rings) this.pops.set(call.id, words);
    notices.say(words);
    if (!rings && !desk.isTyping) desk.select(call.id);
    if (rings && this.isIdle() && !desk.isTyping) desk.select(call.id);
  }

  private popWords(call: CallView, rings: boolean): string {
    if (call.job && rings) return `A call to make for ${call.account.name}: ${call.job.name}. Press F2 to call.`;
    if (call.rings_back) return `${call.rings_back.name} rings back for ${call.account.name}.`;
    if (call.ring_back && rings) return `Somebody to ring back for ${call.account.name}. Press F2 to ring them.`;
    return `Call for ${call.account.name}. ${this.why(call)}${rings && !this.isIdle() ? 'Press F2 to take it.' : call.account_brief.answer_phrase}`;
  }

  /** What was on offer here and is elsewhere now, or gone, is said here no longer. */
  private wentElsewhere(): void {
    for (const [call, words] of this.pops) {
      const here = desk.mine.find((c) => c.id === call);
      if (here?.state === 'offered') continue;
      this.pops.delete(call);
      if (!here) notices.unsay(words);
    }
  }

  private moved(call: CallView, old: CallView): void {
    if (TALKING.has(call.state) && old.state === 'offered' && !desk.isTyping) desk.select(call.id);
    // She pressed F2 for it, so she wants it even if she typed a moment ago.
    if (TALKING.has(call.state) && desk.selected === call.id) notices.say(`Talking, ${call.account.name}.`);
    if (call.state === 'wrap_up' && old.state === 'held' && call.ended?.cause === 'hung_up' && desk.selected !== call.id) {
      this.hungUp(call, 'while on hold');
    } else if (call.state === 'wrap_up') {
      sound.isUnlocked() && sound.toneGone();
      notices.say(call.ended ? `The call has ended: ${endWords(call, desk.patchedThrough.has(call.id))}.` : 'You are off the call.');
    }
    if (old.state === 'consulting' && (call.state === 'talking' || call.state === 'held') && !desk.isAsked(old)) {
      notices.say(`You are back with ${otherParty(call)}.`);
    }
    if (call.patch && call.patch.state !== old.patch?.state && call.patch.state === 'failed') {
      notices.say(`Patch failed: ${causeOf(call.patch.contact?.name ?? 'the number', call.patch.why)}. You are back with ${otherParty(call)}.`);
    }
  }

  /** Before what is said next: why the caller comes. */
  private why(call: CallView): string {
    const why = desk.why(call);
    return why ? `${why} ` : '';
  }

  private isIdle(): boolean {
    return !desk.mine.some((c) => c.state !== 'offered');
  }

  /** What stands in the middle when what stood there has gone. */
  private choose(): void {
    const comes = desk.wanted !== null && desk.mine.some((c) => c.id === desk.wanted);
    // That her caller was taken from her gives way to one she speaks with, once she has stopped typing; to nothing else by itself.
    if (desk.away && desk.selected === null && !comes && (desk.isTyping || !desk.speaking)) return;
    // The form of the call that stood there, and no other while she types: that would be written into another client's.
    const leftOver = () => {
      const left = forms.leftOver(desk.feed.calls);
      const own = left.find((d) => d.call !== null && d.call === desk.selected);
      return (own ?? (desk.isTyping ? undefined : left[0]))?.id;
    };
    const next = pickMiddle(desk, desk.mine, (id) => forms.find(id) !== undefined, leftOver);
    if (next.selected !== desk.selected) desk.select(next.selected);
    desk.wanted = next.wanted;
  }

  private tick(): void {
    if (desk.selected === null && desk.mine.length > 0) this.choose();
    if (this.gone.some((g) => clock.now - g.at > GONE_STAYS_MS)) this.gone = this.gone.filter((g) => clock.now - g.at <= GONE_STAYS_MS);
    if (!sound.isUnlocked()) return;
    const now = clock.now;
    if (desk.alarming && !this.isQuiet && now - this.alarmedAt > ALARM_EVERY_MS) {
      this.alarmedAt = now;
      sound.alarm(desk.talking);
    }
    if (phone.ringing && now - this.rangAt > RING_EVERY_MS) {
      this.rangAt = now;
      if (desk.talking || desk.isTyping) sound.beepWaiting();
      else sound.ring();
    }
    const waiting = desk.mine.length > 0 && !desk.offered ? desk.waiting : null;
    const { state, say } = tellWaiting(this.told, waiting?.call.id ?? null, now);
    this.told = state;
    // Taken elsewhere: it is no longer so.
    if (say === 'take_back') notices.unsay(this.toldWords);
    if (say === 'tell' && waiting) {
      sound.beepWaiting();
      this.toldWords = toldWaiting(waiting.call, waiting.ring_back, this.why(waiting.call));
      notices.say(this.toldWords);
    }
    for (const call of desk.parked) {
      const last = this.reminded.get(call.id) ?? 0;
      if (call.parked!.by !== desk.feed.user?.id || now < call.parked!.remind_at || now - last < PARK_REMINDER_MS) continue;
      this.reminded.set(call.id, now);
      sound.beepHold();
      if (last === 0) notices.say(`${call.account.name}: the caller is still parked at ${call.parked!.slot}.`);
    }
    for (const call of desk.mine) {
      if (call.state !== 'held') this.reminded.delete(call.id);
      else {
        const last = this.reminded.get(call.id) ?? call.state_since;
        if (now - last >= HOLD_REMINDER_MS) {
          this.reminded.set(call.id, now);
          sound.beepHold();
        }
      }
    }
  }
}

export const watch = new Watch();
