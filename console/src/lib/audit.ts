// The audit log in words: who did what to what.

import type { AuditRow } from './types';
import type { Page } from '../state/router.svelte';

/** What can be done, by the word that the log has for it. The first part is what it was done to. */
const ACTS: Record<string, string> = {
  'message.read': 'read the message',
  'message.listed': 'saw the message in a list',
  'message.editions_read': 'read what the message was before',
  'message.changed': 'changed the message',
  'call.digits_read': 'saw what a caller entered in a menu',
  'draft.read': 'saw a form that somebody else began',
  'held.read': 'read a held message out',
  'check_in.opened': 'checked in by PIN',
  'check_in.vouched': 'let a caller check in, and vouched for',
  'check_in.failed': 'pressed a wrong PIN',
  'call_out.opened': 'showed by PIN who they are, when called',
  'call_out.refused': 'pressed a wrong PIN, when called',
  'ring_back.opened': 'was told the right PIN by who rang back',
  'ring_back.refused': 'was told a wrong PIN by who rang back',
  'check_in.read': 'was read a held message, as far as they listened',
  'check_in.heard': 'heard a held message to its end',
  'check_in.put_on_call': 'put somebody on call by telephone',
  'status_greeting.put_up': 'put up a status greeting by telephone',
  'status_greeting.taken_down': 'took a status greeting down',
  'inbox.opened': 'opened the inbox by PIN',
  'inbox.refused': 'tried a wrong PIN at the inbox',
  'inbox.locked': 'tried too many wrong PINs at the inbox',
  'inbox.invited': 'sent a link to install the inbox',
  'inbox.device_added': 'installed the inbox on a device',
  'inbox.device_removed': 'took a device away from the inbox',
  'inbox.read': 'read the message in the inbox',
  'inbox.confirmed': 'confirmed the message in the inbox',
  'inbox.replied': 'wrote about the message from the inbox',
  'recording.heard': 'heard the recording',
  'call.monitored': 'listened to the call',
  'call.whispered': 'listened to the call and spoke to the operator',
  'call.barged': 'listened to the call and spoke to all',
  'alarm.acknowledged': 'acknowledged the alarm',
  'alarm.dismissed': 'saw to what came in, and dismissed its alarm',
  'account.added': 'made the account',
  'account.changed': 'changed the account',
  'account.approved': 'approved a part of the account',
  'account.night_tried': 'looked at a test night before the account went live',
  'account.live_unverified': 'let the account go live with urgent ways that nobody had verified',
  'pin.set': 'set a PIN',
  'pin.removed': 'took a PIN away',
  'user.added': 'added the user',
  'user.changed': 'changed the user',
  'session.opened': 'signed in',
  'session.closed': 'signed out',
  'session.failed': 'failed to sign in',
  'session.reused': 'had a sign-in ended that was used twice',
  'audit.read': 'looked at this log',
  'audit.cut': 'deleted rows that were old enough',
  'audit.altered': 'found the end of this log altered',
};

/** Kinds of acts, to choose from. */
export const KINDS: readonly { id: string; label: string }[] = [
  { id: 'message', label: 'Messages' },
  { id: 'recording', label: 'Recordings heard' },
  { id: 'call', label: 'Live calls heard' },
  { id: 'check_in', label: 'Check-ins by telephone' },
  { id: 'held', label: 'Held messages read out' },
  { id: 'inbox', label: 'Secure inboxes' },
  { id: 'account', label: 'Accounts changed' },
  { id: 'pin', label: 'PINs' },
  { id: 'user', label: 'Users changed' },
  { id: 'session', label: 'Sign-ins' },
  { id: 'session.failed', label: 'Sign-ins that failed' },
  { id: 'alarm', label: 'Alarms' },
  { id: 'audit', label: 'This log' },
];

/** What was done, in words; a word of a newer server as it is. */
export function actWords(act: string): string {
  return ACTS[act] ?? act.replaceAll('.', ' ').replaceAll('_', ' ');
}

/** Who did it, in words; `act` says whether somebody of a client did it by telephone or in their inbox. */
export function whoWords(who: AuditRow['who'], act = ''): string {
  switch (who.kind) {
    case 'user':
      return who.name ?? 'somebody who is gone';
    case 'contact':
      return `${who.name ?? 'a contact who is gone'}${act.startsWith('inbox.') ? '' : ', by telephone'}`;
    case 'account':
      return `somebody of ${who.name ?? 'an account that is gone'}, by telephone`;
    case 'command_line':
      return 'the command line';
    case 'alarm_telephone':
      return 'a supervisor, by telephone';
    case 'house':
      return 'Cordboard itself';
    case 'nobody':
      return 'somebody unknown';
    default:
      return who.id;
  }
}

/** Where what it was done to can be seen, if there is a page for it. */
export function pageOf(object: string): Page | null {
  if (object.startsWith('msg_')) return { name: 'message', id: object };
  if (object.startsWith('acc_')) return { name: 'account', id: object };
  return null;
}

const KINDS_OF_THINGS: Record<string, string> = { msg: 'message', call: 'call', acc: 'account', con: 'contact', inb: 'device', usr: 'user', ses: 'sign-in', drf: 'form', dsp: 'dispatch', alc: 'alarm' };

/** What it was done to, short: the kind and the last characters of its identifier. */
export function objectWords(object: string): string {
  const cut = object.indexOf('_');
  if (cut < 0) return object;
  const rest = object.slice(cut + 1);
  return `${KINDS_OF_THINGS[object.slice(0, cut)] ?? object.slice(0, cut)} ${rest.length > 8 ? `…${rest.slice(-6)}` : rest}`;
}

/** The start of a day on this machine's clock, from `2026-11-26`; none if nothing was chosen. */
export function dayStart(day: string, plusDays = 0): number | undefined {
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date) return undefined;
  return new Date(year, month - 1, date + plusDays).getTime();
}
