import { beforeEach, expect, test, vi } from 'vitest';
import { saidAt } from './kept';

// The page's own things are not there.
vi.mock('../state/session.svelte', () => ({ session: { user: { id: 'usr_hv' } } }));

beforeEach(() => {
  const items = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  });
});

test('how one name is said is kept while another’s form is opened and given up', () => {
  saidAt('acc_1', 'con_ann').keep('Ow-ren');
  // As a form does where nothing is written yet.
  saidAt('acc_1', 'con_ben').keep(null);
  expect(saidAt('acc_1', 'con_ann').find()).toBe('Ow-ren');
  expect(saidAt('acc_1', 'con_ben').find()).toBeNull();
});

test('a spelling that is taken out is kept as that', () => {
  saidAt('acc_1', 'con_ann').keep('');
  expect(saidAt('acc_1', 'con_ann').find()).toBe('');
});
