import { describe, expect, it } from 'vitest';
import { BOARD_ACTS, BOARD_KEYS, actKey, boardAct, nextRow } from './board';
import { BINDINGS, PageKeys } from './keys';

describe('the keys of the board', () => {
  it('are one letter each, and none that the console reads everywhere', () => {
    const letters = BOARD_ACTS.map((one) => one.key.toLowerCase());
    expect(new Set(letters).size).toBe(letters.length);
    const taken = BINDINGS.flatMap((b) => [b.combo, (b.sequence ?? '').split(' ')[0]!]);
    for (const letter of letters) expect(taken).not.toContain(letter);
  });

  it('do what the help says they do', () => {
    expect(boardAct('y')).toBe('confirm');
    expect(boardAct('c')).toBe('call');
    expect(boardAct('q')).toBeNull();
    expect(boardAct(null)).toBeNull();
    for (const { key } of BOARD_ACTS) expect(BOARD_KEYS.map((one) => one.key)).toContain(key);
    expect(actKey('skip')).toEqual({ 'data-act': 'skip', 'data-key': 'S', 'aria-keyshortcuts': 'S' });
  });

  it('leave a letter after g to the page that it names', () => {
    const keys = new PageKeys();
    expect(boardAct(keys.read('g', 0))).toBeNull();
    expect(boardAct(keys.read('c', 300))).toBeNull();
    expect(boardAct(keys.read('C', 3_000))).toBe('call');
  });
});

describe('the arrows', () => {
  const rows = ['a', 'b', 'c'];

  it('walk round, and begin at either end', () => {
    expect(nextRow(rows, 'a', 0, 1)).toBe(1);
    expect(nextRow(rows, 'c', 2, 1)).toBe(0);
    expect(nextRow(rows, 'a', 0, -1)).toBe(2);
    expect(nextRow(rows, null, 0, 1)).toBe(0);
    expect(nextRow(rows, null, 0, -1)).toBe(2);
    expect(nextRow([], 'a', 0, 1)).toBeNull();
  });

  it('go on from where a row was that is gone', () => {
    expect(nextRow(rows, 'gone', 1, 1)).toBe(1);
    expect(nextRow(rows, 'gone', 1, -1)).toBe(0);
    expect(nextRow(rows, 'gone', 3, 1)).toBe(2);
    expect(nextRow(rows, 'gone', 0, -1)).toBe(0);
  });
});
