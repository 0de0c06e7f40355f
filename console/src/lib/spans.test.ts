import { expect, test } from 'vitest';
import type { Calendar, Person, Span } from './schedule';
import { coloursOf, extentOf, lasting, linesOf, names, period, placed, rows, sayGaps, sayNumbers, saySpan, short, title, turn } from './spans';

const ZONE = 'America/New_York';
const HOUR = 3_600_000;
const at = (text: string) => Date.parse(`2026-${text}:00-05:00`);
const PEOPLE: Person[] = ['Ana Reyes', 'Ben Ortiz', 'Cy Young'].map((name, n) => ({ id: `con_${n}`, name, title: '' }));

test('a day, a week and the weeks of a month', () => {
  expect(linesOf('day', '2026-11-26', ZONE).map((line) => line.map((day) => day.date))).toEqual([['2026-11-26']]);
  expect(linesOf('week', '2026-11-26', ZONE)[0]!.map((day) => day.date)[0]).toBe('2026-11-23');
  const month = linesOf('month', '2026-11-26', ZONE);
  expect(month).toHaveLength(6);
  expect(month[0]![0]!.date).toBe('2026-10-26');
  expect(month.at(-1)!.at(-1)!.date).toBe('2026-12-06');
  expect(linesOf('month', '2027-02-01', ZONE)).toHaveLength(4);
});

test('a week in which the clocks go back is an hour longer, and its days take their true part of the line', () => {
  const week = extentOf(linesOf('week', '2026-11-01', ZONE));
  expect((week.until - week.from) / HOUR).toBe(169);
  const [days] = linesOf('week', '2026-11-01', ZONE);
  const widths = days!.map((day) => placed(day, week)!.width);
  expect(widths[6]! / widths[0]!).toBeCloseTo(25 / 24);
  expect(widths.reduce((a, b) => a + b)).toBeCloseTo(100);
});

test('what reaches over the edge is cut there, and what is elsewhere is not drawn', () => {
  const line = { from: 0, until: 100 };
  expect(placed({ from: -50, until: 25 }, line)).toEqual({ left: 0, width: 25, cutLeft: true, cutRight: false });
  expect(placed({ from: 50, until: 150 }, line)).toEqual({ left: 50, width: 50, cutLeft: false, cutRight: true });
  expect(placed({ from: 100, until: 150 }, line)).toBeNull();
});

test('spans that overlap lie below each other, others side by side', () => {
  expect(rows([{ from: 0, until: 10 }, { from: 5, until: 15 }, { from: 10, until: 20 }])).toEqual([0, 1, 0]);
});

const span = (people: string[], from: string, until: string): Span => ({ people, from: at(from), until: at(until), why: 'rotation A', source: { kind: 'layer', layers: [0] }, starts: true, ends: true });

test('colours are steady and differ while there are enough', () => {
  const many = Array.from({ length: 10 }, (_, n) => ({ id: `con_${n * 7}`, name: '', title: '' }));
  expect(new Set(coloursOf(many).values()).size).toBe(10);
  expect(coloursOf(many).get('con_7')).toBe(coloursOf([...many, { id: 'con_new', name: '', title: '' }]).get('con_7'));
});

test('names, short ones, and lengths of time', () => {
  expect(names([], PEOPLE)).toBe('Nobody');
  expect(names(['con_0', 'con_1', 'con_2'], PEOPLE)).toBe('Ana Reyes, Ben Ortiz and Cy Young');
  expect(short('Ana Maria Reyes')).toBe('Ana R.');
  expect(short('Office')).toBe('Office');
  expect(lasting(25 * HOUR + 30 * 60_000)).toBe('1 day 1 h 30 min');
});

test('gaps are said in words, and only those that are still to come', () => {
  const calendar = { zone: ZONE, from: 0, until: at('12-20T00:00'), gaps: [
    { from: at('11-20T00:00'), until: at('11-21T00:00') },
    { from: at('11-28T02:00'), until: at('11-28T06:00') },
  ] } as Calendar;
  const week = { from: at('11-23T00:00'), until: at('11-30T00:00') };
  expect(sayGaps(calendar, week, at('11-24T12:00'))).toEqual(['Nobody from Sat 02:00 to Sat 06:00 (4 h)']);
  expect(sayGaps(calendar, week, at('11-28T05:00'))).toEqual(['Nobody now until Sat 06:00 (1 h)']);
});

test('a shift is said with its role, its people, its time and its reason', () => {
  expect(saySpan(span(['con_1'], '11-23T08:00', '11-24T08:00'), 'technician', PEOPLE, at('11-24T12:00'), ZONE)).toBe(
    'technician: Ben Ortiz from Mon 23 Nov 08:00 until Tue 08:00, 1 day; rotation A',
  );
});

test('pages of the calendar', () => {
  expect(turn('week', '2026-11-26', 1)).toBe('2026-12-03');
  expect(turn('month', '2026-11-26', -1)).toBe('2026-10-01');
  expect(title('day', '2026-11-26')).toBe('Thursday 26 November 2026');
  expect(title('month', '2026-11-26')).toBe('November 2026');
});

test('a digit that is nobody’s says whose the others are', () => {
  const person = (name: string): Person => ({ id: name, name, title: '' });
  expect(sayNumbers('7', [person('Ben Ortiz'), person('Ida Park')], 0)).toBe('Nobody has the number 7: 1 Ben Ortiz, 2 Ida Park.');
  expect(sayNumbers('3', [person('Ben Ortiz')], 4)).toBe('Nobody has the number 3: 1 Ben Ortiz. “Everybody of the account” gives the others one.');
  expect(sayNumbers('1', [], 0)).toBe('Nobody has the number 1 here.');
});

test('of two times that the clock shows alike each is named, in the telling of a shift too', () => {
  const first = Date.parse('2027-11-07T05:30Z');
  expect(period({ from: first, until: first + 3_600_000 }, first - 86_400_000, 'America/New_York')).toBe('Sun 01:30 EDT to Sun 01:30 EST');
});
