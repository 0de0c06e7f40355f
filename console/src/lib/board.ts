// The keys of the dispatch board: what a letter does with the row that has the focus, and where the arrows go. Pure.

export type BoardAct = 'confirm' | 'call' | 'text' | 'patch' | 'hold' | 'skip' | 'retry' | 'close';

export const BOARD_ACTS: readonly { act: BoardAct; key: string; label: string }[] = [
  { act: 'confirm', key: 'Y', label: 'A person has said yes: confirm it by hand' },
  { act: 'call', key: 'C', label: 'Call a person of the account yourself; what came of it has to be said' },
  { act: 'text', key: 'T', label: 'Have a person of the account texted now' },
  { act: 'patch', key: 'P', label: 'Put the caller through: only while they are on your line and the protocol asks for it' },
  { act: 'hold', key: 'H', label: 'Mine: you see to it, colleagues leave it alone, its steps go on; again gives it back' },
  { act: 'skip', key: 'S', label: 'Skip: go on to the next step now' },
  { act: 'retry', key: 'R', label: 'Retry: what did not get through, or the step once more' },
  { act: 'close', key: 'X', label: 'Close it, with a reason' },
];

/** Listed with the keys of other pages in the help. */
export const BOARD_KEYS: readonly { key: string; label: string }[] = [
  { key: '↑ ↓', label: 'Choose a dispatch' },
  { key: 'Enter', label: 'Open its time line, and close it' },
  ...BOARD_ACTS.map(({ key, label }) => ({ key, label })),
  { key: 'Esc', label: 'Leave what was begun: back to the row' },
];

/** What a letter does, as `PageKeys` reads it. */
export function boardAct(letter: string | null): BoardAct | null {
  return BOARD_ACTS.find((one) => one.key.toLowerCase() === letter)?.act ?? null;
}

/** What a button of a row is known by: to the keys, to a screen reader, and to the eye. */
export function actKey(act: BoardAct): { 'data-act': BoardAct; 'data-key': string; 'aria-keyshortcuts': string } {
  const key = BOARD_ACTS.find((one) => one.act === act)!.key;
  return { 'data-act': act, 'data-key': key, 'aria-keyshortcuts': key };
}

/**
 * The row that an arrow leads to. A row that has gone leaves its place to the one that moved up; from nowhere the first arrow leads to
 * the first row, or the last.
 */
export function nextRow(rows: readonly string[], chosen: string | null, lastAt: number, by: 1 | -1): number | null {
  if (rows.length === 0) return null;
  const at = chosen === null ? -1 : rows.indexOf(chosen);
  if (at >= 0) return (at + by + rows.length) % rows.length;
  if (chosen === null) return by === 1 ? 0 : rows.length - 1;
  return Math.min(rows.length - 1, Math.max(0, by === 1 ? lastAt : lastAt - 1));
}
