// The recording is silent while a card number is typed: said to the server when such a field gets the focus, again while
// it keeps it, and taken back when it is left. A page that dies says nothing any more, and the server goes on by itself.

import { api } from '../lib/api';
import type { CallView } from '../lib/types';
import { desk } from './desk.svelte';

/** The server believes each word for twenty seconds. */
const AGAIN_MS = 7_000;

class Cover {
  private call: string | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Not every word arrives, and that must not go unseen. */
  failed = $state(false);

  /** The field is being typed in; `call`: whose recording. */
  begin(call: CallView | null): void {
    this.end();
    if (!call || call.recording.mode === 'off' || call.seat !== desk.feed.user?.id || call.state === 'wrap_up' || call.state === 'ended') return;
    this.call = call.id;
    this.say();
    this.timer = setInterval(() => this.say(), AGAIN_MS);
  }

  end(): void {
    clearInterval(this.timer);
    const call = this.call;
    this.call = null;
    this.failed = false;
    // A call that is over has no recording to go on with.
    if (call) void api.call(call, 'recording/uncover').catch(() => undefined);
  }

  private say(): void {
    const call = this.call;
    if (!call) return;
    api.call(call, 'recording/cover').then(
      () => {
        if (this.call === call) this.failed = false;
      },
      () => {
        if (this.call === call) this.failed = true;
      },
    );
  }
}

export const cover = new Cover();
