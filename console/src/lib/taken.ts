// What was taken on a call, and what is still only typed: which is which, in words. Pure.

import type { CallType, CallView, MessageView } from './types';

/** Whether something was saved on a call and a form stands there besides, as a line for whoever wraps it up. */
export function savedWords(saved: Pick<MessageView, 'account' | 'call_type'> | undefined, another: { account: string; type: string } | undefined): string {
  if (!saved) return 'Finish the form, or say what it was:';
  const which = `${saved.call_type.name}, for ${saved.account.name}`;
  if (!another) return `The message is saved: ${which}.`;
  return `The message is saved: ${which}. Another form, ${another.type}, for ${another.account}, is NOT saved yet.`;
}

/** The call type whose protocol counts beside what stands in the middle: the form's, else the saved message's, else what the call is known to be. */
export function typeAtHand(
  types: readonly CallType[],
  form: { call_type: string | null } | null | undefined,
  saved: Pick<MessageView, 'call_type'> | undefined,
  call: Pick<CallView, 'call_type'> | null,
): CallType | undefined {
  const find = (id: string | null | undefined) => types.find((t) => t.id === id);
  if (!form && saved) return find(saved.call_type.id);
  return find(form?.call_type) ?? (form ? undefined : find(call?.call_type)) ?? types[0];
}
