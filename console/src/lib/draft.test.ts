import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DraftSaver, DraftShelf, draftBody, fromServer, joined, mergeDrafts, newDraft, type Draft, type Shelf } from './draft';

class MapShelf implements Shelf {
  private items = new Map<string, string>();
  get length() {
    return this.items.size;
  }
  key(i: number) {
    return [...this.items.keys()][i] ?? null;
  }
  getItem(k: string) {
    return this.items.get(k) ?? null;
  }
  setItem(k: string, v: string) {
    this.items.set(k, v);
  }
  removeItem(k: string) {
    this.items.delete(k);
  }
}

function draft(id: string, more: Partial<Draft> = {}): Draft {
  return { ...newDraft('acc_p', 'call_1', null, 5), id, ...more };
}

describe('a form begun in another browser', () => {
  const theirs = draft('drf_1', { answers: { name: 'Ann', problem: 'leak' }, revision: 1, acknowledged: 1 });

  it('is here as it is, where nothing was typed here', () => {
    expect(joined(theirs, undefined)).toBe(theirs);
    expect(joined(theirs, draft('drf_2', { answers: { name: ' ', problem: 'leak' } }))).toBe(theirs);
  });

  it('takes in what was typed here, and loses nothing of either', () => {
    const one = joined(theirs, draft('drf_2', { answers: { name: 'Ann', problem: 'in the cellar', callback: '0147' }, call_type: 'ct_urgent', apart: { callback: 'Patient' } }));
    expect(one.answers).toEqual({ name: 'Ann', problem: 'leak in the cellar', callback: '0147' });
    expect([one.id, one.call_type, one.revision > one.acknowledged]).toEqual(['drf_1', null, true]);
    expect(one.apart).toEqual({ callback: 'Patient' });
  });
});

describe('drafts after a reload', () => {
  it('go on with what this browser has until the server acknowledged it', () => {
    const server = [{ id: 'drf_1', account: 'acc_p', call: 'call_1', answers: { name: 'An' }, saved_at: 1 }];
    const local = [draft('drf_1', { answers: { name: 'Ann' }, revision: 3, acknowledged: 2 })];
    expect(mergeDrafts(server, local)[0]?.answers.name).toBe('Ann');
  });

  it('believe the server when everything was acknowledged', () => {
    const server = [{ id: 'drf_1', account: 'acc_p', answers: { name: 'Ann Lee' }, saved_at: 1 }];
    const local = [draft('drf_1', { answers: { name: 'Ann' }, revision: 3, acknowledged: 3 })];
    expect(mergeDrafts(server, local)[0]?.answers.name).toBe('Ann Lee');
  });

  it('let go what was saved as a message from another place, and keep what the server never saw', () => {
    const local = [
      draft('drf_gone', { revision: 2, acknowledged: 2 }),
      draft('drf_new', { revision: 1, acknowledged: 0, answers: { name: 'B' } }),
    ];
    expect(mergeDrafts([], local).map((d) => d.id)).toEqual(['drf_new']);
  });

  it('bring the cursor back', () => {
    const cursor = { field: 'name', start: 2, end: 2 };
    const server = [{ id: 'drf_1', account: 'acc_p', answers: {}, cursor, saved_at: 1 }];
    expect(mergeDrafts(server, [])[0]?.cursor).toEqual(cursor);
    expect(draftBody(draft('drf_1', { cursor })).cursor).toEqual(cursor);
  });
});

describe('what is kept out of a message in clear', () => {
  const apart = { symptom: 'Patient' };

  it('goes to the server with the form, and comes back with it to whoever has it then', () => {
    const body = draftBody(draft('drf_1', { answers: { symptom: 'chest pain' }, apart }));
    expect(body.apart).toEqual(apart);
    expect(fromServer({ ...body, id: 'drf_1', saved_at: 1 }).apart).toEqual(apart);
    expect(mergeDrafts([{ ...body, id: 'drf_1', saved_at: 1 }], [])[0]?.apart).toEqual(apart);
  });

  it('is nothing where nothing is, also by the copy that another browser still has', () => {
    expect('apart' in draftBody(draft('drf_1', { apart: {} }))).toBe(false);
    const server = { id: 'drf_1', account: 'acc_p', answers: {}, apart: {}, saved_at: 1 };
    expect(mergeDrafts([server], [draft('drf_1', { revision: 2, acknowledged: 2, apart })])[0]?.apart).toBeUndefined();
  });
});

describe('the shelf', () => {
  it('keeps the drafts of one user apart from another, and clears what it cannot read', () => {
    const shelf = new MapShelf();
    const kim = new DraftShelf(shelf, 'usr_kim');
    kim.keep(draft('drf_1'));
    new DraftShelf(shelf, 'usr_lee').keep(draft('drf_2'));
    shelf.setItem('cordboard.draft.usr_kim.broken', '{');
    expect(kim.list().map((d) => d.id)).toEqual(['drf_1']);
    kim.drop('drf_1');
    expect(kim.list()).toEqual([]);
    expect(shelf.length).toBe(1);
  });
});

describe('the saver', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setUp(put = vi.fn(async (_id: string, _body: unknown) => ({}))) {
    const state = draft('drf_1');
    const saver = new DraftSaver(
      () => state,
      put,
      (revision) => (state.acknowledged = revision),
      (error) => ((error as Error).message === 'gone' ? 'give up' : 'try again'),
    );
    const type = (text: string) => {
      state.answers.name = text;
      state.revision++;
      saver.touch();
    };
    return { state, saver, put, type };
  }

  it('sends once for everything typed within two seconds', async () => {
    const { put, type, state } = setUp();
    type('A');
    type('An');
    type('Ann');
    await vi.advanceTimersByTimeAsync(1_999);
    expect(put).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(put).toHaveBeenCalledTimes(1);
    expect(put.mock.calls[0]?.[1]).toMatchObject({ answers: { name: 'Ann' } });
    expect(state.acknowledged).toBe(3);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(put).toHaveBeenCalledTimes(1);
  });

  it('sends at once when the field is left', async () => {
    const { put, type, saver } = setUp();
    type('A');
    await saver.flush();
    expect(put).toHaveBeenCalledTimes(1);
    await saver.flush();
    expect(put).toHaveBeenCalledTimes(1);
  });

  it('tries again after a failure, and sends what changed meanwhile', async () => {
    let down = true;
    const { put, type, state } = setUp(
      vi.fn(async () => {
        if (down) throw new Error('offline');
        return {};
      }),
    );
    type('A');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(put.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(state.acknowledged).toBe(0);
    down = false;
    type('AB');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(state.acknowledged).toBe(2);
  });

  it('does not go on asking when the draft has become a message elsewhere', async () => {
    const { put, type } = setUp(
      vi.fn(async () => {
        throw new Error('gone');
      }),
    );
    type('A');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(put).toHaveBeenCalledTimes(1);
  });

  it('sends nothing once the draft has become a message', async () => {
    const { put, type, saver } = setUp();
    type('A');
    saver.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    await saver.flush();
    expect(put).not.toHaveBeenCalled();
  });
});

it('keeps the time when a form was begun through a reload, a hand-over and a copy of before there was any', () => {
  const begun = draft('drf_1', { begun_at: 5, changed_at: 90 });
  expect(draftBody(begun).begun_at).toBe(5);
  const server = { id: 'drf_2', account: 'acc_p', answers: {}, saved_at: 70 };
  expect([fromServer({ ...server, begun_at: 6 }).begun_at, fromServer(server).begun_at]).toEqual([6, 70]);
  const { begun_at: _, ...old } = begun;
  const kept = new Map([['cordboard.draft.kim.drf_1', JSON.stringify(old)]]);
  const shelf: Shelf = { length: 1, key: () => 'cordboard.draft.kim.drf_1', getItem: (k) => kept.get(k) ?? null, setItem: () => undefined, removeItem: () => undefined };
  expect(new DraftShelf(shelf, 'kim').list()[0]?.begun_at).toBe(90);
});
