import { expect, test } from 'vitest';
import { asKind, dayWords, kindOf, momentIn, newLayer, reordered, sayLayer, saySchedule, windowWords, zoneWords } from './rotation';
import type { Layer, Person, Turn } from './schedule';

const PEOPLE: Person[] = ['Ben', 'Ana', 'Cy'].map((name) => ({ id: name.toLowerCase(), name, title: '' }));
const NOW = Date.parse('2026-11-24T12:00-05:00');
const ZONE = 'America/New_York';

function layer(turns: Turn[], changes: Partial<Layer> = {}): Layer {
  return { ...newLayer('Rotation', NOW, ZONE), rotation: { anchor: '2026-11-02T08:00', turns }, ...changes };
}
const each = (unit: Turn['length']['unit'], count: number, ...people: string[]): Turn[] => people.map((id) => ({ people: [id], length: { unit, count } }));

test('turns are read in plain English', () => {
  const said = (turns: Turn[]) => sayLayer(layer(turns), PEOPLE, ZONE);
  expect(said(each('weeks', 1, 'ben', 'ana'))).toBe('Ben and Ana take turns weekly, changing Mondays 08:00 New York time.');
  expect(said(each('days', 14, 'ben', 'ana'))).toBe('Ben and Ana take turns every 2 weeks, changing Mondays 08:00 New York time.');
  expect(said(each('days', 1, 'ben', 'ana', 'cy'))).toBe('Ben, Ana and Cy take turns daily, changing at 08:00 New York time.');
  expect(said(each('hours', 12, 'ben', 'ana'))).toBe('Ben and Ana take turns every 12 hours, counted from 08:00 New York time.');
  expect(said(each('months', 1, 'ben', 'ana'))).toBe('Ben and Ana take turns monthly, changing on the 2nd at 08:00 New York time.');
  expect(said(each('weeks', 1, 'ben'))).toBe('Ben, always.');
  expect(said([])).toBe('Nobody yet: add somebody.');
});

test('turns of several people, pauses, and turns of their own lengths', () => {
  const mixed = [{ people: ['ben', 'ana'], length: { unit: 'weeks' as const, count: 1 } }, ...each('weeks', 1, 'cy')];
  expect(sayLayer(layer(mixed), PEOPLE, ZONE)).toBe('Ben and Ana together, then Cy take turns weekly, changing Mondays 08:00 New York time.');
  const custom = [...each('days', 5, 'ben'), ...each('days', 2, 'ana'), { people: [], length: { unit: 'days' as const, count: 1 } }];
  expect(sayLayer(layer(custom), PEOPLE, ZONE)).toBe('In turn Ben for 5 days, then Ana for 2 days, then nobody (a pause) for 1 day, counted from Mon 2 Nov 08:00 New York time.');
});

test('what limits a layer is said after it', () => {
  const nights = layer(each('weeks', 1, 'ben', 'ana'), {
    windows: [{ days: ['friday', 'saturday'], from: '20:00', until: '08:00' }],
    days: 'not_holidays',
    beside: true,
    until: Date.parse('2026-12-24T12:00-05:00'),
  });
  expect(sayLayer(nights, PEOPLE, ZONE)).toBe(
    'Ben and Ana take turns weekly, changing Mondays 08:00 New York time; only Fri and Sat 20:00 to 08:00 the next day; not on holidays; until 2026-12-24 12:00; together with whom the layers below say.',
  );
});

test('a schedule is read from the top, its fallback last', () => {
  const edit = { role: 'technician', zone: ZONE, layers: [layer(each('weeks', 1, 'ben', 'ana')), layer(each('weeks', 1, 'cy'), { name: 'Nights' })], fallback: 'ana' };
  const said = saySchedule(edit, PEOPLE);
  expect(said.map((line) => line.split(':')[0])).toEqual(['Nights', 'Rotation', 'Where that leaves nobody']);
  expect(saySchedule({ ...edit, fallback: null }, PEOPLE).at(-1)).toBe('Where that leaves nobody, nobody is on call.');
});

test('days and windows in words', () => {
  expect(dayWords(['monday', 'tuesday', 'wednesday', 'thursday', 'friday'])).toBe('Mon–Fri');
  expect(dayWords(['monday', 'wednesday', 'friday'])).toBe('Mon, Wed and Fri');
  expect(dayWords(['sunday'])).toBe('Sun');
  expect(windowWords({ days: ['sunday'], from: '08:00', until: '08:00' })).toBe('Sun 08:00 to 08:00 the next day (24 hours)');
  expect(zoneWords('America/Argentina/Buenos_Aires')).toBe('Buenos Aires time');
  expect(zoneWords('UTC')).toBe('UTC');
});

test('a kind of rotation is seen in its turns, and another keeps the people', () => {
  expect(kindOf(each('weeks', 2, 'ben', 'ana'))).toBe('weekly');
  expect(kindOf([...each('days', 5, 'ben'), ...each('days', 2, 'ana')])).toBe('custom');
  expect(asKind([...each('days', 5, 'ben'), ...each('days', 2, 'ana')], 'hourly')).toEqual(each('hours', 12, 'ben', 'ana'));
});

test('a new layer changes hands next Monday at eight', () => {
  expect(newLayer('Rotation', NOW, ZONE).rotation.anchor).toBe('2026-11-30T08:00');
});

test('somebody is moved to another place in the order', () => {
  expect(reordered(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
  expect(reordered(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
});

test('a moment is in the zone of the page, with the own zone of a role beside it where that differs', () => {
  const at = Date.parse('2026-11-22T21:00Z');
  const near = at - 3_600_000;
  expect(momentIn(at, near, 'America/Chicago', 'Australia/Lord_Howe')).toBe('Sun 15:00 (Mon 08:00 Lord Howe time)');
  expect(momentIn(at, near, 'America/Chicago', 'America/Menominee')).toBe('Sun 15:00');
});
