// A change that is on its way can be asked back already: it is taken back as soon as that can be done, and nothing else is.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Problem } from '../lib/api';
import type { Changes, Doors, Override, Temporary } from '../lib/schedule';
import { clock } from '../state/clock.svelte';
import { notices } from '../state/notices.svelte';
import { Roster } from './roster.svelte';

const HOUR = 3_600_000;
const calendar = { schedule: 'sch_1', role: 'technician', zone: 'UTC', from: 0, until: 48 * HOUR, final: [{ people: ['maya'], from: 0, until: 48 * HOUR }], overrides: [] } as never;
const ben = { kind: 'only', contact: 'ben', from: HOUR, until: 2 * HOUR } as const;
const planned = { words: 'Ben on call', remove: [], add: [ben] } as never;
const settle = () => new Promise((done) => setTimeout(done, 0));

let overrides: Override[];
let temporary: Temporary[];
let undone: number[];
let sent: Changes[];
let refused: boolean;
/** Lets the reading go on that the line holds up. */
let read: () => void;
let slow: boolean;
let roster: Roster;

function doors(): Doors {
  return {
    all: async () => {
      if (slow) await new Promise<void>((go) => (read = go));
      return { edition: 1, zone: 'UTC', people: [], items: [{ id: 'sch_1', role: 'technician', overrides: [...overrides], temporary }] };
    },
    calendar: async () => ({ items: [calendar] }),
    onCall: async () => ({ items: [] }),
    history: async () => ({ items: [{ seq: 8, schedule: 'sch_1', at: 12 * HOUR + 5, undoes: null }, { seq: 7, schedule: 'sch_1', at: 11 * HOUR, undoes: null }] }),
    undoChange: async (_account: string, _id: string, change: number) => void undone.push(change),
    change: async (_account: string, _id: string, changes: Changes) => {
      if (refused) throw new Problem(409, 'schedule.seen', 'Somebody else is on call now.');
      sent.push(changes);
      const made = changes.add.map((edit, at) => ({ ...edit, id: `ovr_${sent.length}_${at}`, by: 'Sam', made_at: 0 }));
      overrides = [...overrides.filter((o) => !changes.remove.includes(o.id)), ...made];
      return { overrides };
    },
  } as never;
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(12 * HOUR);
  notices.items = [];
  [overrides, temporary, undone, sent, refused, slow] = [[], [], [], [], false, false];
  roster = new Roster('acc_1', doors());
  await roster.load();
});

afterEach(() => vi.useRealTimers());

it('asked back before the calendar has been read again it is taken back, once, and that it waits is said', async () => {
  slow = true;
  void roster.carryOut(calendar, planned);
  // It was answered, and the calendar is not read again yet.
  await settle();
  expect(roster.last?.words).toBe('Ben on call');
  await roster.undo();
  await roster.undo();
  expect(sent).toHaveLength(1);
  expect(notices.items.map((n) => n.text)).toEqual(['It is taken back as soon as the calendar has been read again.']);
  slow = false;
  read();
  await settle();
  expect(sent.map((changes) => changes.remove)).toEqual([[], ['ovr_1_0']]);
  // As of what it left there, so that it does not go over somebody else's.
  expect(sent[1]!.seen).toEqual([{ people: ['maya'], from: HOUR, until: 2 * HOUR }]);
  expect([overrides, roster.last]).toEqual([[], null]);
});

it('asked back twice while it is being taken back leaves the change before it alone', async () => {
  await roster.carryOut(calendar, { ...(planned as object), words: 'The one before' } as never);
  await roster.carryOut(calendar, planned);
  slow = true;
  void roster.undo();
  await settle();
  await roster.undo();
  slow = false;
  read();
  await settle();
  expect([sent.length, roster.last?.words]).toEqual([3, 'The one before']);
});

it('of a change that is refused nothing is taken back, nor of the one before it', async () => {
  await roster.carryOut(calendar, { ...(planned as object), words: 'The one before' } as never);
  refused = true;
  slow = true;
  void roster.carryOut(calendar, planned);
  await roster.undo();
  await settle();
  [refused, slow] = [false, false];
  read();
  await settle();
  expect([sent.length, roster.last?.words]).toEqual([1, 'The one before']);
});

it('an import whose answer was lost and that was made is found, told, and taken back by its name', async () => {
  const plan = (made_at: number): Temporary => ({ name: 'read in', from: 20 * HOUR, until: 30 * HOUR, shifts: [], by: 'Pat', made_at });
  temporary = [plan(11 * HOUR)];
  const found = vi.fn();
  roster.importLost({ words: '6 shifts imported', role: 'technician', at: clock.now, from: 20 * HOUR, until: 30 * HOUR, before: new Set([11 * HOUR]) }, found);
  await settle();
  // The same was there before: it is not what was sent now.
  expect([found.mock.calls.length, roster.last]).toEqual([0, null]);
  temporary = [...temporary, plan(12 * HOUR)];
  await roster.load();
  await roster.load();
  expect([found.mock.calls.length, roster.steps.length, roster.last?.words]).toEqual([1, 1, '6 shifts imported']);
  await roster.undo();
  expect(undone).toEqual([8]);
});
