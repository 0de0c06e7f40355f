// Accounts, read once per call and kept: an edit takes effect with the next call.

import { SvelteMap } from 'svelte/reactivity';
import { api } from '../lib/api';
import type { Account, AccountRef, MessageView, OwnAges } from '../lib/types';

const FRESH_MS = 60_000;
/** After a try that failed, again and again later; a call that waits for its form lasts no longer than these together. */
const AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];

class Accounts {
  list = $state.raw<(AccountRef & { dids: string[]; ages?: OwnAges })[]>([]);
  private readonly full = new SvelteMap<string, Account>();
  private readonly read = new Map<string, number>();
  private readonly pending = new Set<string>();
  /** Accounts that could not be read, and why; each is asked for again by itself. */
  readonly failing = new SvelteMap<string, string>();
  /** Earlier messages by account and caller. */
  private readonly past = new SvelteMap<string, MessageView[]>();

  async loadList(): Promise<void> {
    this.list = (await api.accounts()).items;
  }

  /** The account if it is known already; asks for it otherwise. */
  find(id: string): Account | undefined {
    return this.full.get(id);
  }

  /** Asks the server, unless it was asked a moment ago. */
  async want(id: string, fresh = false, tries = 0): Promise<void> {
    const age = Date.now() - (this.read.get(id) ?? 0);
    if (this.pending.has(id) || (!fresh && age < FRESH_MS)) return;
    this.pending.add(id);
    try {
      const account = await api.account(id);
      this.full.set(id, account);
      this.read.set(id, Date.now());
      this.failing.delete(id);
    } catch (error) {
      this.failing.set(id, (error as Error).message);
      const wait = AGAIN_MS[tries];
      if (wait !== undefined) setTimeout(() => void this.want(id, fresh, tries + 1), wait);
    } finally {
      this.pending.delete(id);
    }
  }

  /** Changed somewhere: the next call for it reads it anew. A form that is open now keeps what it began with. */
  changed(id: string): void {
    this.read.delete(id);
    void this.loadList().catch(() => undefined);
  }

  earlier(account: string, caller: string): MessageView[] | undefined {
    return this.past.get(`${account} ${caller}`);
  }

  async wantEarlier(account: string, caller: string): Promise<void> {
    try {
      this.past.set(`${account} ${caller}`, (await api.earlier(account, caller)).items);
    } catch {
      // Not worth a word while a caller speaks.
    }
  }
}

export const accounts = new Accounts();
