import { expect, test } from 'vitest';
import { drawn, edgesOf, nudged, planAssign, planBack, planBeside, planDraw, planMove, planRemove, restAt, sayMove, type Plan, type Planned } from './drag';
import type { Calendar, Override, Person, Span } from './schedule';

const ZONE = 'America/New_York';
const at = (text: string) => Date.parse(`2026-${text}:00-05:00`);
const NOW = at('11-24T12:00');
const PEOPLE: Person[] = [
  { id: 'ana', name: 'Ana Reyes', title: '' },
  { id: 'ben', name: 'Ben Ortiz', title: '' },
  { id: 'cy', name: 'Cy Young', title: '' },
];

const span = (people: string[], from: string, until: string, source: Span['source'] = { kind: 'layer', layers: [0] }): Span => ({
  people, from: at(from), until: at(until), why: 'rotation A', source, starts: true, ends: true,
});

function calendar(final: Span[], overrides: Override[] = []): Calendar {
  return {
    schedule: 'sch', role: 'technician', zone: ZONE, from: final[0]!.from, until: final.at(-1)!.until, final, layers: [], temporary: [],
    overrides: overrides.map((o) => ({ ...o, takes_effect: true })), gaps: [], conflicts: [],
  };
}

const WEEK = calendar([
  span(['ana'], '11-23T08:00', '11-25T08:00'),
  span(['ben'], '11-25T08:00', '11-27T08:00'),
  span([], '11-27T08:00', '11-27T20:00', { kind: 'nobody' }),
  span(['cy'], '11-27T20:00', '11-30T08:00'),
]);

function plan(planned: Planned): Plan {
  if ('refused' in planned) throw new Error(`refused: ${planned.refused}`);
  return planned;
}
const refused = (planned: Planned) => ('refused' in planned ? planned.refused : 'not refused');

test('an end drawn further out takes from who comes next', () => {
  const { add, remove, words } = plan(planMove(WEEK, 0, { from: at('11-23T08:00'), until: at('11-25T12:00') }, NOW, PEOPLE));
  expect(remove).toEqual([]);
  expect(add).toEqual([{ kind: 'only', contact: 'ana', from: at('11-25T08:00'), until: at('11-25T12:00') }]);
  expect(words).toBe('Ana Reyes: Mon 23 Nov 08:00 to Wed 12:00, 4 h longer');
});

test('an end drawn in is taken by who comes next', () => {
  const { add } = plan(planMove(WEEK, 0, { from: at('11-23T08:00'), until: at('11-24T20:00') }, NOW, PEOPLE));
  expect(add).toEqual([{ kind: 'only', contact: 'ben', from: at('11-24T20:00'), until: at('11-25T08:00') }]);
});

test('an end drawn in before a gap makes the gap longer', () => {
  const { add } = plan(planMove(WEEK, 1, { from: at('11-25T08:00'), until: at('11-27T02:00') }, NOW, PEOPLE));
  expect(add).toEqual([{ kind: 'remove', contact: 'ben', from: at('11-27T02:00'), until: at('11-27T08:00') }]);
});

test('a body that is moved leaves to who is before and takes from who is after', () => {
  const { add } = plan(planMove(WEEK, 1, { from: at('11-25T14:00'), until: at('11-27T14:00') }, NOW, PEOPLE));
  expect(add).toEqual([
    { kind: 'only', contact: 'ana', from: at('11-25T08:00'), until: at('11-25T14:00') },
    { kind: 'only', contact: 'ben', from: at('11-27T08:00'), until: at('11-27T14:00') },
  ]);
});

test('a body moved beyond itself leaves all of its place', () => {
  const { add } = plan(planMove(WEEK, 1, { from: at('11-28T08:00'), until: at('11-30T08:00') }, NOW, PEOPLE));
  expect(add).toEqual([
    { kind: 'only', contact: 'ana', from: at('11-25T08:00'), until: at('11-27T08:00') },
    { kind: 'only', contact: 'ben', from: at('11-28T08:00'), until: at('11-30T08:00') },
  ]);
});

test('the past stays, and what has begun keeps its start', () => {
  expect(refused(planMove(WEEK, 0, { from: at('11-23T12:00'), until: at('11-25T08:00') }, NOW, PEOPLE))).toMatch(/has begun/);
  expect(refused(planMove(WEEK, 0, { from: at('11-23T08:00'), until: at('11-24T08:00') }, NOW, PEOPLE))).toMatch(/past/);
  expect(refused(planMove(WEEK, 1, { from: at('11-24T08:00'), until: at('11-27T08:00') }, NOW, PEOPLE))).toMatch(/past/);
  expect(refused(planMove(WEEK, 1, { from: at('11-27T08:00'), until: at('11-27T08:00') }, NOW, PEOPLE))).toMatch(/ends after/);
  expect(refused(planMove(WEEK, 1, WEEK.final[1]!, NOW, PEOPLE))).toBe('');
});

test('what goes on beyond what is known is not moved there', () => {
  const cut = calendar([...WEEK.final.slice(0, 3), { ...WEEK.final[3]!, ends: false }]);
  expect(refused(planMove(cut, 3, { from: at('11-27T20:00'), until: at('11-29T08:00') }, NOW, PEOPLE))).toMatch(/not in sight/);
});

const override: Override = { id: 'ovr', kind: 'only', contact: 'cy', from: at('11-25T08:00'), until: at('11-27T08:00'), note: 'ill', by: 'office', made_at: 0 };
const OVERRIDDEN = calendar([WEEK.final[0]!, span(['cy'], '11-25T08:00', '11-27T08:00', { kind: 'override', ids: ['ovr'] }), ...WEEK.final.slice(2)], [override]);

test('an override is moved itself, and keeps its note', () => {
  const made = plan(planMove(OVERRIDDEN, 1, { from: at('11-25T08:00'), until: at('11-26T08:00') }, NOW, PEOPLE));
  expect(made.remove).toEqual(['ovr']);
  expect(made.add).toEqual([{ kind: 'only', contact: 'cy', from: at('11-25T08:00'), until: at('11-26T08:00'), note: 'ill' }]);
});

test('an override can be taken out, a shift of the rotation cannot', () => {
  expect(plan(planRemove(OVERRIDDEN, 1, NOW, PEOPLE))).toEqual({ remove: ['ovr'], add: [], words: 'Override of Cy Young, Wed 08:00 to Fri 08:00, taken out' });
  expect(refused(planRemove(WEEK, 1, NOW, PEOPLE))).toMatch(/not from an override/);
  const planned = calendar([span(['ana'], '11-25T08:00', '11-26T08:00', { kind: 'temporary', name: 'storm' })]);
  expect(refused(planRemove(planned, 0, NOW, PEOPLE))).toMatch(/temporary schedule “storm”, which stands below the calendar/);
});

test('somebody else takes a shift from now on, alone or in the place of one of several', () => {
  expect(plan(planAssign(WEEK, 0, 'cy', NOW, PEOPLE)).add).toEqual([{ kind: 'only', contact: 'cy', from: NOW, until: at('11-25T08:00') }]);
  expect(plan(planAssign(WEEK, 2, 'cy', NOW, PEOPLE)).words).toBe('Cy Young where nobody was, Fri 08:00 to Fri 20:00');
  expect(refused(planAssign(WEEK, 0, 'ana', NOW, PEOPLE))).toBe('Ana Reyes is on call then already.');
  const both = calendar([span(['ana', 'ben'], '11-25T08:00', '11-26T08:00')]);
  expect(plan(planAssign(both, 0, 'cy', NOW, PEOPLE, 'ben')).add).toEqual([{ kind: 'replace', contact: 'cy', instead_of: 'ben', from: at('11-25T08:00'), until: at('11-26T08:00') }]);
  expect(plan(planAssign(OVERRIDDEN, 1, 'ben', NOW, PEOPLE))).toMatchObject({ remove: ['ovr'], add: [{ contact: 'ben', note: 'ill' }] });
});

test('a shift drawn along a line is one person alone, or one more where there are several', () => {
  expect(plan(planDraw(WEEK, 'cy', { from: at('11-24T08:00'), until: at('11-25T20:00') }, NOW, PEOPLE)).add).toEqual([{ kind: 'only', contact: 'cy', from: NOW, until: at('11-25T20:00') }]);
  const both = calendar([span(['ana', 'ben'], '11-25T08:00', '11-26T08:00')]);
  expect(plan(planDraw(both, 'cy', { from: at('11-25T10:00'), until: at('11-25T12:00') }, NOW, PEOPLE)).add[0]!.kind).toBe('add');
  expect(plan(planDraw(both, 'cy', { from: at('11-25T10:00'), until: at('11-25T12:00') }, NOW, PEOPLE, true))).toMatchObject({ add: [{ kind: 'only' }], words: 'Cy Young alone on call Wed 10:00 to Wed 12:00' });
  expect(refused(planDraw(WEEK, 'ben', { from: at('11-25T10:00'), until: at('11-25T12:00') }, NOW, PEOPLE))).toMatch(/already/);
  expect(refused(planDraw(WEEK, 'ben', { from: at('11-23T10:00'), until: at('11-23T12:00') }, NOW, PEOPLE))).toMatch(/past/);
});

test('somebody is put on call as well as who is, and takes nothing from them', () => {
  const two = { from: at('11-25T20:00'), until: at('11-27T12:00') };
  expect(plan(planBeside(WEEK, 'cy', two, NOW, PEOPLE))).toEqual({ remove: [], add: [{ kind: 'add', contact: 'cy', ...two }], words: 'Cy Young on call as well as Ben Ortiz, Wed 20:00 to Fri 12:00' });
  // From now on where it has begun, and alone where nobody is.
  expect(plan(planBeside(WEEK, 'cy', WEEK.final[0]!, NOW, PEOPLE)).add).toEqual([{ kind: 'add', contact: 'cy', from: NOW, until: at('11-25T08:00') }]);
  expect(plan(planBeside(WEEK, 'cy', WEEK.final[2]!, NOW, PEOPLE)).words).toBe('Cy Young on call, Fri 08:00 to Fri 20:00');
  expect(refused(planBeside(WEEK, 'ben', WEEK.final[1]!, NOW, PEOPLE))).toBe('Ben Ortiz is on call then already.');
  expect(refused(planBeside(WEEK, 'cy', { from: at('11-23T08:00'), until: at('11-24T08:00') }, NOW, PEOPLE))).toMatch(/past/);
  expect(refused(planBeside(WEEK, 'cy', { from: at('11-25T08:00'), until: at('11-25T08:00') }, NOW, PEOPLE))).toMatch(/ends after/);
});

test('of several at once only those who shall go do, and only those who were not there come', () => {
  const several = calendar([span(['ana', 'ben'], '11-25T08:00', '11-26T08:00'), span(['ben', 'cy'], '11-26T08:00', '11-27T08:00')]);
  expect(plan(planMove(several, 0, { from: at('11-25T08:00'), until: at('11-25T20:00') }, NOW, PEOPLE)).add).toEqual([
    { kind: 'remove', contact: 'ana', from: at('11-25T20:00'), until: at('11-26T08:00') },
    { kind: 'add', contact: 'cy', from: at('11-25T20:00'), until: at('11-26T08:00') },
  ]);
});

test('taking back puts out what was made, and what was taken out back to its old place', () => {
  const done = plan(planMove(OVERRIDDEN, 1, { from: at('11-25T08:00'), until: at('11-26T08:00') }, NOW, PEOPLE));
  const made = [{ ...override, id: 'new', ...done.add[0] }];
  expect(planBack(done, made)).toEqual({ remove: ['new'], put_back: [override.id], add: [] });
});

test('a drag comes to rest at the clocks of the zone; a body keeps its clock times over a change', () => {
  const night = { from: Date.parse('2026-10-31T08:00-04:00'), until: Date.parse('2026-11-01T08:00-05:00') };
  expect(drawn(night, 'end', 40 * 60_000, [], 0, 'week', ZONE).until - night.until).toBe(3_600_000);
  const moved = drawn(night, 'body', 3_600_000, [], 0, 'week', ZONE);
  expect([moved.from - night.from, moved.until - night.until]).toEqual([3_600_000, 3_600_000]);
});

test('an edge of a gap or a shift catches the pointer, and the steps beside it stay within reach', () => {
  const holed = calendar([span(['ana'], '11-25T00:00', '11-25T01:10'), span([], '11-25T01:10', '11-25T02:10', { kind: 'nobody' }), span(['ben'], '11-25T02:10', '11-26T00:00')]);
  const edges = edgesOf(holed);
  expect(edges).toEqual([at('11-25T00:00'), at('11-25T01:10'), at('11-25T02:10'), at('11-26T00:00')]);
  // A day on a line of 960 pixels: 90 s each, so an edge catches from 7.5 minutes away.
  const rest = (text: string) => restAt(at(text), edges, 90_000, 'day', ZONE);
  expect(['11-25T01:04', '11-25T01:14', '11-25T01:20', '11-25T02:06', '11-25T03:04'].map(rest)).toEqual(['11-25T01:10', '11-25T01:10', '11-25T01:15', '11-25T02:10', '11-25T03:00'].map(at));
  // What is drawn over the gap is the gap, and an end that is drawn to it meets it.
  expect(drawn(holed.final[0]!, 'end', 58 * 60_000, edges, 90_000, 'day', ZONE)).toEqual({ from: at('11-25T00:00'), until: at('11-25T02:10') });
  expect(drawn(holed.final[2]!, 'start', -62 * 60_000, edges, 90_000, 'day', ZONE)).toEqual({ from: at('11-25T01:10'), until: at('11-26T00:00') });
});

test('keys move by a quarter of an hour, an hour or a day', () => {
  const shift = { from: at('11-25T08:00'), until: at('11-26T08:00') };
  expect(nudged(shift, 'end', 1, 'day', ZONE)).toEqual({ from: shift.from, until: at('11-26T08:15') });
  expect(nudged(shift, 'body', -2, 'week', ZONE)).toEqual({ from: at('11-25T06:00'), until: at('11-26T06:00') });
  expect(nudged(shift, 'start', -1, 'month', ZONE)).toEqual({ from: at('11-24T08:00'), until: shift.until });
});

test('a move is said with how much longer it is', () => {
  expect(sayMove(WEEK.final[1]!, { from: at('11-25T08:00'), until: at('11-27T07:30') }, NOW, ZONE, PEOPLE)).toBe('Ben Ortiz: Wed 08:00 to Fri 07:30, 30 min shorter');
});
