// The messages that are held for the account in front of her, and the one she reads out. How many there are comes by the
// feed; their words are asked for when she wants to read them.

import { api, Problem } from '../lib/api';
import { heldOf, nextHeld, personAt } from '../lib/held';
import type { CallView, MessageView } from '../lib/types';
import { accounts } from './accounts.svelte';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';

class HeldMessages {
  /** The message that is being read out. */
  open = $state<string | null>(null);
  /** To whom. */
  to = $state('');
  items = $state.raw<MessageView[]>([]);
  /** The open one was changed while she read it. */
  changed = $state(false);
  private of = $state<string | null>(null);
  private call: string | null = null;

  count(account: string): number {
    return heldOf(desk.feed.dispatches, account).length;
  }

  /** Those of the account that are still held, as far as they are known. */
  list(account: string): MessageView[] {
    if (this.of !== account) return [];
    const held = new Set(heldOf(desk.feed.dispatches, account).map((d) => d.message));
    return this.items.filter((m) => held.has(m.id));
  }

  /** Another account or caller is in front of her: nothing of the last one stays. */
  begin(account: string, call: CallView | null): void {
    if (this.of === account && this.call === (call?.id ?? null)) return;
    this.of = account;
    this.call = call?.id ?? null;
    this.open = null;
    this.to = '';
    this.items = [];
    this.changed = false;
  }

  /** Opens the next one. */
  async next(account: string, call: CallView | null): Promise<void> {
    this.begin(account, call);
    if (!(await this.load(account))) return;
    this.changed = false;
    const next = nextHeld(this.list(account), this.open);
    if (!next) notices.show('Nothing is held for this account.', 'info');
    this.open = next?.id ?? null;
    requestAnimationFrame(() => document.querySelector('[data-held]')?.scrollIntoView({ block: 'nearest' }));
    this.to ||= personAt(accounts.find(account)?.contacts ?? [], call?.caller ?? null);
  }

  /** The one that is open is another now: its words as they are. */
  async again(account: string): Promise<void> {
    if (await this.load(account)) this.changed = this.open !== null;
  }

  /** True if they are there, and still those of the account in front of her. */
  private async load(account: string): Promise<boolean> {
    try {
      const { items } = await api.held(account);
      if (this.of !== account) return false;
      this.items = items;
      return true;
    } catch (error) {
      notices.show(error instanceof Problem ? error.message : 'The held messages cannot be read now.');
      return false;
    }
  }

  /** It was read out, all of it; on to the next. */
  async delivered(account: string, call: CallView | null): Promise<void> {
    const message = this.list(account).find((m) => m.id === this.open);
    if (!message?.dispatch) {
      notices.show('First read a held message out.', 'info');
      return;
    }
    if (this.to.trim() === '') {
      notices.show('Say to whom you read it out.', 'info');
      document.querySelector<HTMLElement>('[data-read-to]')?.focus();
      return;
    }
    try {
      await api.readOut(message.dispatch.id, this.to.trim(), message.edition ?? 1);
    } catch (error) {
      if (error instanceof Problem && error.code === 'message.stale') await this.again(account);
      notices.show(error instanceof Problem ? error.message : 'That did not work.');
      return;
    }
    notices.say(`Read out to ${this.to.trim()}.`);
    this.items = this.items.filter((m) => m.id !== message.id);
    this.open = null;
    if (this.list(account).length > 0) await this.next(account, call);
  }
}

export const held = new HeldMessages();
