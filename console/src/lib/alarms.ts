// The alarm chain in words: who was told of what stands, who sees to it, who is told next. Pure.

import { clock } from './time';
import type { AlarmChain, AlarmView, DispatchView } from './types';

/** Steps that are shown; the older ones are on the time lines. */
const SHOWN = 3;

export interface ChainWords {
  /** Nobody has acknowledged something that stands. */
  waits: boolean;
  head: string;
  /** Each with its time, the latest last. */
  told: string[];
}

export function chainWords(chain: AlarmChain): ChainWords {
  const waits = chain.waits.length > 0;
  const many = chain.waits.length === 1 ? '1 alarm' : `${chain.waits.length} alarms`;
  const seen = chain.by ? `${clock(chain.by.at)} ${chain.by.text}` : 'Somebody sees to it.';
  const head = waits ? `${many}, and nobody has acknowledged.` : seen;
  return { waits, head, told: chain.told.slice(-SHOWN).map((line) => `${clock(line.at)} ${line.text}`) };
}

/** The message that an alarm is about: the one it names, or that of its dispatch where that is among these. */
export function messageOf(alarm: AlarmView, dispatches: DispatchView[]): string | null {
  return alarm.message ?? dispatches.find((dispatch) => dispatch.id === alarm.dispatch)?.message ?? null;
}

/** What needs an operator, with whose message it is before it: of a busy account there are several. */
export function troubleWords(dispatch: Pick<DispatchView, 'headline' | 'alarm'>): string {
  const caller = dispatch.headline.split(' · ')[0]?.trim();
  const alarm = dispatch.alarm ?? 'needs an operator';
  return caller ? `${caller}: ${alarm}` : alarm;
}

/** What stands beside an alarm in a list. */
export function seenTo(chain: AlarmChain | null, alarm: string): string | null {
  if (!chain?.acknowledged.includes(alarm)) return null;
  return chain.by?.who ? `${chain.by.who} sees to it` : 'somebody sees to it';
}
