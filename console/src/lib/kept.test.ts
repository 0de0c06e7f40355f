import { expect, test } from 'vitest';
import { Kept, sweepKept, type KeptShelf } from './kept';

function shelf(): KeptShelf & { names(): string[] } {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (i) => [...items.keys()][i] ?? null,
    getItem: (k) => items.get(k) ?? null,
    setItem: (k, v) => void items.set(k, v),
    removeItem: (k) => void items.delete(k),
    names: () => [...items.keys()],
  };
}

test('what is written is there again for whoever wrote it, at its place, until it is let go', () => {
  const tab = shelf();
  new Kept(tab, 'usr_hv', 'acc_1.status_greeting').keep({ text: 'Closed by snow.' });
  const again = new Kept<{ text: string }>(tab, 'usr_hv', 'acc_1.status_greeting');
  expect(again.find()).toEqual({ text: 'Closed by snow.' });
  expect(new Kept(tab, 'usr_hv', 'acc_2.status_greeting').find()).toBeNull();
  expect(new Kept(tab, 'usr_h', 'acc_1.status_greeting').find()).toBeNull();
  again.keep(null);
  expect([again.find(), tab.names()]).toEqual([null, []]);
});

test('whoever logs in is rid of everybody else’s, and a log-out leaves nothing of it', () => {
  const tab = shelf();
  tab.setItem('cordboard.inbox', 'another part’s');
  new Kept(tab, 'usr_hv', 'acc_1.contact').keep('hers');
  new Kept(tab, 'usr_hv2', 'acc_1.contact').keep('his');
  sweepKept(tab, 'usr_hv');
  expect(tab.names()).toEqual(['cordboard.inbox', 'cordboard.portal.usr_hv.acc_1.contact']);
  sweepKept(tab, null);
  expect(tab.names()).toEqual(['cordboard.inbox']);
});

test('what is not readable counts as nothing', () => {
  const tab = shelf();
  tab.setItem('cordboard.portal.usr_hv.acc_1.contact', '{');
  expect(new Kept(tab, 'usr_hv', 'acc_1.contact').find()).toBeNull();
});
