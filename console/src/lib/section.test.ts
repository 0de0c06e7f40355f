import { describe, expect, it } from 'vitest';
import { begin, follow, isDirty, keepMine, restore, settle, takeTheirs } from './section';

const written = (base: object, value: object) => ({ base, value, theirs: null });

describe('a part of an account', () => {
  it('shows what the server has until something is written', () => {
    expect(follow(begin({ name: 'A' }), { name: 'B' }).value).toEqual({ name: 'B' });
  });

  it('keeps what is written when another part was changed', () => {
    const part = written({ name: 'A' }, { name: 'mine' });
    expect(follow(part, { name: 'A' })).toEqual(part);
  });

  it('notes that both changed, and lets the writer choose', () => {
    const part = follow(written({ name: 'A' }, { name: 'mine' }), { name: 'theirs' });
    expect(part.theirs).toEqual({ name: 'theirs' });
    expect(takeTheirs(part).value).toEqual({ name: 'theirs' });
    const mine = keepMine(part);
    expect([mine.base, mine.value, mine.theirs]).toEqual([{ name: 'theirs' }, { name: 'mine' }, null]);
    expect(isDirty(mine)).toBe(true);
  });

  it('is clean once the server has what is written', () => {
    expect(isDirty(follow(written({ name: 'A' }, { name: 'mine' }), { name: 'mine' }))).toBe(false);
  });

  it('comes back after a crash', () => {
    const kept = JSON.stringify({ base: { name: 'A' }, value: { name: 'mine' } });
    expect(restore(kept, { name: 'A' }).value).toEqual({ name: 'mine' });
    expect(restore(kept, { name: 'B' }).theirs).toEqual({ name: 'B' });
    expect(restore('no JSON', { name: 'A' }).value).toEqual({ name: 'A' });
    expect(restore(null, { name: 'A' }).value).toEqual({ name: 'A' });
  });

  it('keeps what is typed while it is being saved', () => {
    const typed = { base: { name: 'A' }, value: { name: 'B and more' }, theirs: null };
    const part = settle(typed, { name: 'B' }, { name: 'B' });
    expect(part).toEqual({ base: { name: 'B' }, value: { name: 'B and more' }, theirs: null });
    expect(isDirty(part)).toBe(true);
  });

  it('shows what was saved as the server has it', () => {
    expect(settle(written({ name: 'A' }, { name: ' B' }) as never, { name: ' B' }, { name: 'B' })).toEqual(begin({ name: 'B' }));
  });
});
