// What F9 does: one key forward, whoever is on the line.

import type { CallView } from './types';

export type JoinDoes = 'hand_over' | 'colleague_not_there' | 'join' | 'contact_not_there';

/** `mine`: she is not the colleague who is asked. With a patch and a colleague who are all joined, nothing is left to join. */
export function joinDoes(call: CallView, mine: boolean): JoinDoes | null {
  if (mine && call.state === 'consulting') return call.colleague?.there ? 'hand_over' : 'colleague_not_there';
  if (mine && call.colleague?.joined && !call.patch) return 'hand_over';
  if (!call.patch) return null;
  return call.patch.state === 'private' || call.patch.state === 'held' ? 'join' : 'contact_not_there';
}
