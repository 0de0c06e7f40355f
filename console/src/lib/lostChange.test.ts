import { expect, test } from 'vitest';
import { awaited, madeBy, swapped, type Lost } from './lostChange';
import type { Override, OverrideEdit } from './schedule';

const edit = (contact: string, from = 0): OverrideEdit => ({ kind: 'only', contact, from, until: from + 10 });
const over = (id: string, of: OverrideEdit): Override => ({ ...of, id, by: 'Pat', made_at: 1, note: '' });
const sent = (add: OverrideEdit[], remove: string[] = [], before: string[] = remove) => ({ add, remove, before: new Set(before) });

test('a change that was made though its answer was lost is found by what it left', () => {
  const old = over('old', edit('ann'));
  expect(madeBy(sent([edit('ida')], [], ['old']), [old, over('new', edit('ida'))])?.map((o) => o.id)).toEqual(['new']);
  // In its own order, beside what somebody else has made meanwhile.
  const now = [over('b', edit('zoe', 20)), over('other', edit('ann', 40)), over('a', edit('ida'))];
  expect(madeBy(sent([edit('ida'), edit('zoe', 20)]), now)?.map((o) => o.id)).toEqual(['a', 'b']);
  expect(madeBy(sent([], ['old']), [])).toEqual([]);
});

test('one that was not made is not taken back', () => {
  const old = over('old', edit('ida'));
  // The same was there before: it is not what was sent now.
  expect(madeBy(sent([edit('ida')], [], ['old']), [old])).toBeNull();
  expect(madeBy(sent([], ['old']), [old])).toBeNull();
  expect(madeBy(sent([edit('ida')]), [over('new', edit('ida', 5))])).toBeNull();
  expect(madeBy(sent([edit('ida'), edit('ida')]), [over('new', edit('ida'))])).toBeNull();
});

test('a swap is two overrides, each in the place of the other', () => {
  const made = swapped({ contact: 'ann', from: 0, until: 10 }, { contact: 'ida', from: 10, until: 20 });
  expect(made.map((o) => `${o.contact} for ${o.instead_of} at ${o.from}`)).toEqual(['ida for ann at 0', 'ann for ida at 10']);
  expect(madeBy(sent(made), [over('x', made[0]!), over('y', made[1]!)])?.map((o) => o.id)).toEqual(['x', 'y']);
});

test('what has not arrived after two minutes never will', () => {
  const lost = (at: number): Lost => ({ ...sent([]), words: '', schedule: 's', times: [], at });
  expect(awaited([lost(0), lost(60_000)], 120_000).map((one) => one.at)).toEqual([60_000]);
});
