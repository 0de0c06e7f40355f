// What a person says who calls back about a message left on their voicemail, and what they are told if it is over.
import type { DispatchView } from './types';

/** As somebody typed it, who heard it in two groups: `482 913`; null if it can be none. */
export function readReference(words: string): string | null {
  const digits = words.replace(/[\s.#-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** How a dispatch ended, for whoever asks late. */
export function saysOver(d: Pick<DispatchView, 'state' | 'confirmed_by'>): string {
  const state = d.state.replaceAll('_', ' ');
  return d.confirmed_by ? `over: ${state}, ${d.confirmed_by}` : `over: ${state}`;
}
