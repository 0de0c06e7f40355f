import { expect, test } from 'vitest';
import { PAGES, isGone, pagesFor, pathOf, readPath, settled, type Place } from './place';

const ACCOUNTS = [
  { id: 'acc_plumbing', rights: ['messages', 'schedule'] as const },
  { id: 'acc_clinic', rights: ['reports'] as const },
];

test('each page has a path, and the path leads back to it', () => {
  for (const { name } of PAGES) {
    const place: Place = { account: 'acc_a b', page: name, id: null };
    expect(readPath(pathOf(place))).toEqual(place);
  }
  const message: Place = { account: 'acc_a', page: 'messages', id: 'msg_1' };
  expect(readPath(pathOf(message))).toEqual(message);
});

test('a path of nothing known is no page, and one that is no text breaks nothing', () => {
  expect(readPath('/portal')).toEqual({ account: null, page: null, id: null });
  expect(readPath('/portal/acc_a/secrets/1')).toEqual({ account: 'acc_a', page: null, id: null });
  expect(readPath('/portal/%E0%A4%A').account).toBe('%E0%A4%A');
  expect(readPath('/messages/msg_1').account).toBeNull();
});

test('the menu has what the rights give, and approvals for everybody', () => {
  expect(pagesFor([]).map((p) => p.name)).toEqual(['going_live']);
  expect(pagesFor(['messages']).map((p) => p.name)).toEqual(['night', 'messages', 'on_call', 'going_live']);
  expect(pagesFor(['schedule', 'protocol']).map((p) => p.name)).toEqual(['on_call', 'protocols', 'going_live']);
});

test('the morning page comes first', () => {
  expect(settled({ account: null, page: null, id: null }, ACCOUNTS)).toEqual({ account: 'acc_plumbing', page: 'night', id: null });
});

test('an account of somebody else leads to one of mine, and takes no message along', () => {
  expect(settled({ account: 'acc_other', page: 'messages', id: 'msg_1' }, ACCOUNTS)).toEqual({ account: 'acc_plumbing', page: 'messages', id: null });
  expect(settled({ account: 'acc_clinic', page: 'messages', id: 'msg_1' }, ACCOUNTS)).toEqual({ account: 'acc_clinic', page: 'report', id: null });
  expect(settled({ account: 'acc_plumbing', page: 'messages', id: 'msg_1' }, ACCOUNTS).id).toBe('msg_1');
  expect(settled({ account: 'acc_plumbing', page: 'night', id: null }, [])).toEqual({ account: null, page: null, id: null });
});

test('a page whose right was taken away is gone, and those of other rights are not', () => {
  expect(isGone('contacts', ['messages'])).toBe(true);
  expect(isGone('contacts', ['contacts'])).toBe(false);
  expect(isGone('on_call', ['messages'])).toBe(false);
  expect(isGone('going_live', [])).toBe(false);
  expect(isGone(null, [])).toBe(false);
});
