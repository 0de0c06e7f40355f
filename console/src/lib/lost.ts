// What became of the caller of a form that is left over: as the alarm about them says where they were lost by our doing. Pure.

import type { AlarmView } from './types';

/** `A caller was cut off when the service was restarted: call back +1 202 555 0172.`; null: no alarm is about that call. The account's name stands
 * above the form already. */
export function lostWords(alarms: readonly Pick<AlarmView, 'call' | 'text'>[], call: string | null, account: string): string | null {
  const about = call === null ? undefined : alarms.find((alarm) => alarm.call === call);
  if (!about) return null;
  const said = about.text.startsWith(`${account}: `) ? about.text.slice(account.length + 2) : about.text;
  return said.charAt(0).toUpperCase() + said.slice(1);
}
