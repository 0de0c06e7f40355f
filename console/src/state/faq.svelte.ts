// The questions and answers beside the form: which is open, and what is typed to find one.

import { tick } from 'svelte';
import type { Account, Faq } from '../lib/types';
import { accounts } from './accounts.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';

class Questions {
  words = $state('');
  /** The question that is open. */
  open = $state<string | null>(null);
  /** Counts each time she asks for them: whoever shows them brings them into sight. */
  wanted = $state(0);
  private of: string | null = null;

  /** The account in front of her. */
  get account(): Account | undefined {
    const id = desk.call?.account.id ?? forms.find(desk.selected ?? '')?.account;
    return id === undefined ? undefined : accounts.find(id);
  }

  get list(): Faq[] {
    return this.account?.faq ?? [];
  }

  /** Another account is in front of her: nothing of the last one stays. */
  begin(account: string): void {
    if (this.of === account) return;
    this.of = account;
    this.words = '';
    this.open = null;
  }

  /** To the field in which she looks for one, or to this one. */
  show(question: string | null = null): void {
    this.words = '';
    this.open = question;
    this.wanted += 1;
    void tick().then(() => document.querySelector<HTMLElement>('[data-faq]')?.focus());
  }
}

export const questions = new Questions();
