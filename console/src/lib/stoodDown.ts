// What an operator is told who has a call of a dispatch in hand that is not wanted any more as it was: that it is over, and by whom, or
// that it has only gone on, and the message still needs somebody. Pure.

import { settledWords } from './settled';
import type { DispatchView } from './types';

export interface StoodDown {
  /** Nobody is needed any more. */
  over: boolean;
  text: string;
}

type Shown = Pick<DispatchView, 'state' | 'closed_at' | 'confirmed_by' | 'timeline'>;

const ASKS = 'What came of this call?';
/** How the time line says that an operator went on, after the name. */
const SKIPPED = ' went on to the next step.';

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** `dispatch`: as the desk knows it; one that it knows no more is closed. `since`: when her call began; what was before it is not why. */
export function stoodDown(dispatch: Shown | undefined, since: number): StoodDown {
  if (!dispatch) return { over: true, text: `The dispatch is closed. ${ASKS}` };
  if (dispatch.closed_at !== null) {
    const settled = settledWords(dispatch);
    const closed = dispatch.timeline.findLast((line) => line.kind === 'closed' && line.text.startsWith('Closed by '));
    const how = settled ? `Handled meanwhile: ${lower(settled)}.` : closed ? `Meanwhile ${lower(closed.text)}` : 'The dispatch is closed.';
    return { over: true, text: `${how} Say so. ${ASKS}` };
  }
  const last = dispatch.timeline.findLast((line) => line.at >= since && (line.kind === 'changed' || line.text.endsWith(SKIPPED)));
  if (last?.kind === 'changed') return { over: false, text: `The message was changed meanwhile and still needs somebody. ${ASKS}` };
  const who = last ? `${last.who ?? 'A colleague'} skipped this step` : 'The dispatch has gone on meanwhile';
  return { over: false, text: `${who}: the message still needs somebody. ${ASKS}` };
}
