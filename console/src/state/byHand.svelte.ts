// Reaching a person by hand for a dispatch. A text is sent by the server. For a call her telephone rings, and the call comes to the middle of the desk, where the message is read
// out and what came of it is said. One that does not come is told: she would wait for it.

import { api } from '../lib/api';
import { HandCall, attemptsOf } from '../lib/handCall';
import { accounts } from './accounts.svelte';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';
import { phone } from './phone.svelte';
import { router } from './router.svelte';

/** Her telephone rings by then. */
const COMES_WITHIN_MS = 60_000;

/** True: it is on its way. */
export async function callByHand(dispatch: string, to: { contact: string; destination: string }): Promise<boolean> {
  await phone.unlock();
  const me = desk.feed.user?.id;
  const call = new HandCall(dispatch, me, attemptsOf(desk.feed.calls));
  const account = desk.feed.dispatches.find((d) => d.id === dispatch)?.account;
  const name = (account && accounts.find(account.id)?.contacts.find((c) => c.id === to.contact)?.name) ?? 'who you chose';
  try {
    await api.callByHand(dispatch, to);
  } catch (error) {
    notices.show((error as Error).message);
    return false;
  }
  router.go({ name: 'desk' });
  const follow = () => {
    // Another's log-in in this page: it is not theirs.
    if (desk.feed.user?.id !== me) return stop();
    for (const word of call.read(desk.feed.calls)) {
      if (word.kind === 'comes') desk.select(word.call);
      else if (word.kind === 'up') stop();
      else notComing();
    }
  };
  const leave = desk.onEvent(follow);
  const late = setTimeout(() => {
    if (!call.hasCome) notComing();
  }, COMES_WITHIN_MS);
  const stop = () => {
    leave();
    clearTimeout(late);
  };
  const notComing = () => {
    stop();
    if (desk.feed.user?.id === me) notices.show(`Your call to ${name}${account ? ` for ${account.name}` : ''} has not come about. The dispatch’s time line says more.`);
  };
  follow();
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
