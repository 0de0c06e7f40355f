import { describe, expect, it } from 'vitest';
import { fateOf, harmless, lengthNote, stylesAside } from './mail';

describe('an email that is looked at', () => {
  it('says how long it is, and when mail programs would cut it', () => {
    expect(lengthNote('x'.repeat(1200), null)).toBe('1,200 characters of plain text, not formatted.');
    expect(lengthNote('hello', '<p>hello</p>')).toBe('5 characters of plain text, 1 kB formatted.');
    expect(lengthNote('', 'ü'.repeat(60_000))).toContain('120 kB formatted. Mail programs cut');
  });

  it('shows what lays out words, and nothing that runs or fetches', () => {
    expect(['P', 'table', 'H1'].map(fateOf)).toEqual(['keep', 'keep', 'keep']);
    expect(['script', 'STYLE', 'iframe', 'form', 'svg'].map(fateOf)).toEqual(['drop', 'drop', 'drop', 'drop', 'drop']);
    expect(['body', 'center', 'x-own'].map(fateOf)).toEqual(['open', 'open', 'open']);
  });

  it('puts styles aside before it is read, and leaves words that are none alone', () => {
    expect(stylesAside('<p class="a" STYLE="margin:0">in style="x" <b\nstyle = \'a\'>')).toBe('<p class="a" data-style="margin:0">in style="x" <b\ndata-style = \'a\'>');
  });

  it('keeps the layout of a style and nothing that reaches out', () => {
    expect(harmless('color:red;background:URL(https://x.example/p.gif);padding:2px')).toBe('color:red;padding:2px');
    expect(harmless('position : fixed;margin:0')).toBe('margin:0');
  });
});
