import { expect, test } from 'vitest';
import type { Calendar, Span } from './schedule';
import { seenIn, touched } from './seen';

const span = (people: string[], from: number, until: number, kind: 'layer' | 'override' = 'layer'): Span => ({
  people, from, until, why: '', source: kind === 'layer' ? { kind, layers: [0] } : { kind, ids: ['ovr'] }, starts: true, ends: true,
});

const FINAL = [span(['ana'], 0, 10), span(['ana'], 10, 20, 'override'), span(['ben', 'cy'], 20, 30), span(['cy', 'ben'], 30, 40, 'override'), span([], 40, 50)];
const CALENDAR: Calendar = {
  schedule: 'sch', role: 'technician', zone: 'UTC', from: 0, until: 50, final: FINAL, layers: [], temporary: [],
  overrides: [{ id: 'ovr', kind: 'only', contact: 'ana', from: 10, until: 20, by: 'office', made_at: 0, takes_effect: true }], gaps: [], conflicts: [],
};

test('what was seen is who was on call, whatever the reason, and nobody where nobody was', () => {
  expect(seenIn(CALENDAR, [{ from: 5, until: 45 }])).toEqual([
    { people: ['ana'], from: 5, until: 20 },
    { people: ['ben', 'cy'], from: 20, until: 40 },
    { people: [], from: 40, until: 45 },
  ]);
});

test('times that overlap are told once, and what is out of sight is not', () => {
  expect(seenIn(CALENDAR, [{ from: 12, until: 18 }, { from: 2, until: 4 }, { from: 15, until: 22 }, { from: 48, until: 90 }])).toEqual([
    { people: ['ana'], from: 2, until: 4 },
    { people: ['ana'], from: 12, until: 20 },
    { people: ['ben', 'cy'], from: 20, until: 22 },
    { people: [], from: 48, until: 50 },
  ]);
});

test('a change touches what it makes and what it takes out', () => {
  const add = [{ kind: 'only' as const, contact: 'ben', from: 22, until: 25 }];
  expect(touched(CALENDAR, { remove: ['ovr', 'gone'], add })).toEqual([{ from: 10, until: 20 }, { from: 22, until: 25 }]);
});
