// What is done about callers who hung up too early or are to be rung back, from whichever page; and who is to be rung back.

import { isBetweenTries } from '../lib/abandoned';
import { Problem, api } from '../lib/api';
import type { AccountRef, CallbackView, LeftDraft } from '../lib/types';
import { clock } from './clock.svelte';
import { desk } from './desk.svelte';
import { forms } from './forms.svelte';
import { notices } from './notices.svelte';
import { router } from './router.svelte';

/** As much of a caller as is needed to do something about them. */
interface Caller {
  call: string;
  account: AccountRef;
}

class Callers {
  /** Who is to be rung back, and who was not reached and nobody has seen to. */
  back = $state.raw<CallbackView[]>([]);
  /** Rung in vain: whoever is rung next comes first. */
  readonly later = $derived(
    this.back.filter((c) => isBetweenTries(c.tries, clock.now)).sort((a, b) => (a.tries.next_at ?? 0) - (b.tries.next_at ?? 0)),
  );
  private asked = 0;

  /** For as long as a page shows them. */
  watch(): () => void {
    void this.load();
    return desk.onEvent((event) => {
      if (event.type === 'hello' || event.type === 'caller') void this.load();
    });
  }

  private async load(): Promise<void> {
    const turn = ++this.asked;
    const page = await api.callbacks().catch(() => null);
    if (page && turn === this.asked) this.back = page.items;
  }

  /** True if they are to be rung now. */
  ringBack(caller: Caller): Promise<boolean> {
    return this.attempt(() => api.ringBack(caller.call), 'Your phone first, then theirs. If your seat is not free, they wait in the queue.');
  }

  giveUp(caller: Caller): Promise<boolean> {
    return this.attempt(() => api.giveUpRinging(caller.call), `${caller.account.name}: not rung again. They stay under Hung up until somebody has seen to them.`);
  }

  seenTo(caller: Caller): Promise<boolean> {
    return this.attempt(() => api.seenTo(caller.call), `${caller.account.name}: seen to.`);
  }

  /** The form that was begun with them, in front of her. */
  async openForm(caller: Caller & { draft?: LeftDraft | null }): Promise<void> {
    const { draft } = caller;
    if (!draft) return notices.show('No form was begun with this caller.', 'info');
    const opened = await this.attempt(async () => void (await forms.takeLeft(draft.id)), `The form begun for ${caller.account.name}.`);
    if (!opened) return;
    router.go({ name: 'desk' });
    // Whose wrap-up is still hers is finished with it.
    desk.select(forms.placeOf({ id: draft.id, call: caller.call }));
  }

  private async attempt(work: () => Promise<void>, done: string): Promise<boolean> {
    try {
      await work();
      notices.say(done);
      return true;
    } catch (error) {
      notices.show(error instanceof Problem ? error.message : 'That did not work.');
      return false;
    }
  }
}

export const callers = new Callers();
