// Reaching a person by hand for a dispatch. A text is sent by the server. For a call her telephone rings, and the call comes to the middle of the desk, where the message is read
// out and what came of it is said.

import { api } from '../lib/api';
import type { CallView } from '../lib/types';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';
import { phone } from './phone.svelte';
import { router } from './router.svelte';

/** Her telephone rings no longer than this. */
const COMES_WITHIN_MS = 60_000;

/** True: it is on its way. */
export async function callByHand(dispatch: string, to: { contact: string; destination: string }): Promise<boolean> {
  await phone.unlock();
  try {
    await api.callByHand(dispatch, to);
  } catch (error) {
    notices.show((error as Error).message);
    return false;
  }
  const isIt = (call: CallView) => call.job?.dispatch === dispatch && call.job.by_hand === true && call.seat === desk.feed.user?.id;
  router.go({ name: 'desk' });
  const there = desk.mine.find(isIt);
  if (there) {
    desk.select(there.id);
    return true;
  }
  const leave = desk.onEvent((event) => {
    if (event.type !== 'call' || !isIt(event.call)) return;
    leave();
    desk.select(event.call.id);
  });
  setTimeout(leave, COMES_WITHIN_MS);
  return true;
}

/** True: it is on its way; the row says so. */
export async function textByHand(dispatch: string, to: { contact: string; destination: string }): Promise<boolean> {
  try {
    await api.textByHand(dispatch, to);
  } catch (error) {
    notices.show((error as Error).message);
    return false;
  }
  notices.say('The text is on its way.');
  return true;
}
