// What the desk does by itself: which call comes to the middle, what is said aloud, what beeps.

import { causeWords } from '../lib/hears';
import { myCalls } from '../lib/reduce';
import * as sound from '../lib/sound';
import type { FeedState } from '../lib/reduce';
import type { CallView, FeedEvent } from '../lib/types';
import { accounts } from './accounts.svelte';
import { clock } from './clock.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';
import { notices } from './notices.svelte';
import { phone } from './phone.svelte';

const HOLD_REMINDER_MS = 45_000;
const ALARM_EVERY_MS = 9_000;
const RING_EVERY_MS = 3_000;
const QUIET_MS = 120_000;

const TALKING = new Set(['talking', 'ringing_back', 'patching', 'conference']);

class Watch {
  quietUntil = $state(0);
  readonly isQuiet = $derived(this.quietUntil > clock.now);
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopListening: (() => void) | null = null;
  private alarmedAt = 0;
  private rangAt = 0;
  private reminded = new Map<string, number>();

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

  /** The alarm rests for two minutes; a new one speaks up all the same. */
  quiet(): void {
    this.quietUntil = clock.now + QUIET_MS;
    notices.say('The alarm is quiet for two minutes.');
  }

  private changed(event: FeedEvent, before: FeedState): void {
    if (event.type === 'alarm' && !before.alarms.some((a) => a.id === event.alarm.id)) {
      this.quietUntil = 0;
      this.alarmedAt = 0;
      notices.say(`Alarm: ${event.alarm.text}`);
    }
    if (event.type === 'dispatch' && event.dispatch.needs_operator) {
      const was = before.dispatches.find((d) => d.id === event.dispatch.id);
      if (!was?.needs_operator) {
        this.quietUntil = 0;
        this.alarmedAt = 0;
        notices.say(`${event.dispatch.account.name} needs an operator. ${event.dispatch.alarm ?? ''}`);
      }
    }
    // The server forgets the check when this console was gone for a while: so do we.
    if ((event.type === 'seat' || event.type === 'hello') && desk.feed.seat?.checked === false && phone.checkedAt !== null) phone.unpass();
    if (event.type === 'call' || event.type === 'hello' || event.type === 'call_gone') this.calls(before);
  }

  private calls(before: FeedState): void {
    const was = new Map(myCalls(before).map((c) => [c.id, c]));
    for (const call of desk.mine) {
      const old = was.get(call.id);
      if (!old) this.popped(call);
      else if (old.state !== call.state) this.moved(call, old);
    }
    forms.tidy(desk.mine);
    this.choose();
  }

  /** A call has come to this seat. */
  private popped(call: CallView): void {
    void accounts.want(call.account.id, true);
    if (call.caller && call.earlier > 0) void accounts.wantEarlier(call.account.id, call.caller);
    const rings = call.state === 'offered';
    if (call.ring_back && rings) notices.say(`Somebody to ring back for ${call.account.name}. Press F2 to ring them.`);
    else notices.say(`Call for ${call.account.name}. ${rings && !this.isIdle() ? 'Press F2 to take it.' : call.account_brief.answer_phrase}`);
    if (!rings && !desk.isTyping) desk.select(call.id);
    if (rings && this.isIdle() && !desk.isTyping) desk.select(call.id);
  }

  private moved(call: CallView, old: CallView): void {
    if (TALKING.has(call.state) && old.state === 'offered' && !desk.isTyping) desk.select(call.id);
    // She pressed F2 for it, so she wants it even if she typed a moment ago.
    if (TALKING.has(call.state) && desk.selected === call.id) notices.say(`Talking, ${call.account.name}.`);
    if (call.state === 'wrap_up') {
      sound.isUnlocked() && sound.toneGone();
      notices.say(call.ended ? `The call has ended: ${causeWords(call.ended.cause)}.` : 'You are off the call.');
    }
    if (call.patch && call.patch.state !== old.patch?.state && call.patch.state === 'failed') {
      notices.say(`Patch failed: ${causeWords(call.patch.why)}. You are back with the caller.`);
    }
  }

  private isIdle(): boolean {
    return !desk.mine.some((c) => c.state !== 'offered');
  }

  /** What stands in the middle when what stood there has gone. */
  private choose(): void {
    const selected = desk.selected;
    if (selected && (desk.mine.some((c) => c.id === selected) || forms.find(selected))) return;
    const rank = (c: CallView) => (TALKING.has(c.state) ? 0 : c.state === 'wrap_up' || c.state === 'patched' ? 1 : c.state === 'held' ? 2 : 3);
    const best = [...desk.mine].sort((a, b) => rank(a) - rank(b))[0];
    desk.select(best?.id ?? forms.leftOver(desk.mine)[0]?.id ?? null);
  }

  private tick(): void {
    if (desk.selected === null && desk.mine.length > 0) this.choose();
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
