import { describe, expect, it } from 'vitest';
import { BINDINGS, KeyReader, comboOf, keyOf, showCombo } from './keys';

const OF_THE_BROWSER = ['F1', 'F3', 'F5', 'F6', 'F7', 'F11', 'F12', 'Ctrl+F4', 'Ctrl+w', 'Ctrl+t', 'Ctrl+n', 'Ctrl+r', 'Ctrl+l', 'Alt+d', 'Alt+e', 'Alt+f', 'Alt+F4', 'Alt+ArrowLeft', 'Alt+ArrowRight', 'Alt+Home', 'Shift+F10'];

describe('the keys', () => {
  it('never use a key that the browser owns', () => {
    for (const binding of BINDINGS) expect(OF_THE_BROWSER).not.toContain(binding.combo);
  });

  it('mean one thing each', () => {
    const combos = BINDINGS.map((b) => b.combo);
    expect(new Set(combos).size).toBe(combos.length);
    const sequences = BINDINGS.flatMap((b) => b.sequence ?? []);
    expect(new Set(sequences).size).toBe(sequences.length);
  });

  it('work with function keys and modifiers even in a field', () => {
    const reader = new KeyReader();
    expect(reader.read({ key: 'F9' }, true, 0)).toBe('join');
    expect(reader.read({ key: 'F9', shiftKey: true }, true, 0)).toBe('drop');
    expect(reader.read({ key: 'Enter', ctrlKey: true }, true, 0)).toBe('save');
    expect(reader.read({ key: 'Enter', metaKey: true }, true, 0)).toBe('save');
    expect(reader.read({ key: 'M', altKey: true, shiftKey: true }, true, 0)).toBe('mute');
    expect(reader.read({ key: 'µ', altKey: true, code: 'KeyM' }, true, 0)).toBe('mute');
  });

  it('have signs for the recording and for calls that were none, on a Mac too', () => {
    const reader = new KeyReader();
    expect(reader.read({ key: '.', altKey: true, code: 'Period' }, true, 0)).toBe('record');
    expect(reader.read({ key: '≥', altKey: true, code: 'Period' }, true, 0)).toBe('record');
    expect(reader.read({ key: ',', altKey: true, code: 'Comma' }, true, 0)).toBe('record_pause');
    expect(reader.read({ key: '–', altKey: true, code: 'Minus' }, true, 0)).toBe('not_legitimate');
    // Where the key with the dash is another one, what it writes counts.
    expect(reader.read({ key: '-', altKey: true, code: 'Slash' }, true, 0)).toBe('not_legitimate');
    expect(reader.read({ key: 'Enter', altKey: true }, true, 0)).toBe('finish');
    expect(reader.read({ key: '.' }, true, 0)).toBeNull();
  });

  it('leave plain letters to the text while she types', () => {
    const reader = new KeyReader();
    expect(reader.read({ key: '?', shiftKey: true }, true, 0)).toBeNull();
    expect(reader.read({ key: 'g' }, true, 0)).toBeNull();
    expect(reader.read({ key: 'm' }, true, 1)).toBeNull();
    expect(reader.read({ key: '?', shiftKey: true }, false, 2)).toBe('help');
  });

  it('take two letters in a row, if they come soon enough', () => {
    const reader = new KeyReader();
    expect(reader.read({ key: 'g' }, false, 0)).toBeNull();
    expect(reader.read({ key: 'b' }, false, 900)).toBe('go_board');
    reader.read({ key: 'g' }, false, 2000);
    expect(reader.read({ key: 'b' }, false, 4000)).toBeNull();
    reader.read({ key: 'g' }, false, 5000);
    expect(reader.read({ key: 'x' }, false, 5100)).toBeNull();
    expect(reader.read({ key: 'b' }, false, 5200)).toBeNull();
  });

  it('are printed as on the keyboard', () => {
    expect(keyOf('save')).toBe('Ctrl ⏎');
    expect(keyOf('drop')).toBe('⇧F9');
    expect(showCombo('Alt+m')).toBe('Alt M');
    expect(comboOf({ key: 'ArrowDown', ctrlKey: true })).toBe('Ctrl+ArrowDown');
  });
});
