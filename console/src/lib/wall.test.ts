import { expect, test } from 'vitest';
import { addDays, addMonths, daysFrom, firstAt, hourMarks, lastAt, later, mondayOf, sayChange, snap, wallOf } from './wall';

const NEW_YORK = 'America/New_York';
const at = (iso: string) => Date.parse(iso);
const HOUR = 3_600_000;

test('the clocks of a zone and back', () => {
  expect(wallOf(at('2026-11-23T13:00Z'), NEW_YORK)).toBe('2026-11-23T08:00');
  expect(firstAt('2026-11-23T08:00', NEW_YORK)).toBe(at('2026-11-23T13:00Z'));
});

test('a time that the clocks skip is the first one after the gap', () => {
  expect(firstAt('2026-03-08T02:30', NEW_YORK)).toBe(at('2026-03-08T07:00Z'));
  expect(wallOf(firstAt('2026-03-08T02:30', NEW_YORK), NEW_YORK)).toBe('2026-03-08T03:00');
  // Half an hour in Lord Howe, and midnight itself in Havana.
  expect(wallOf(firstAt('2020-10-04T02:15', 'Australia/Lord_Howe'), 'Australia/Lord_Howe')).toBe('2020-10-04T02:30');
  expect(wallOf(firstAt('2026-03-08T00:00', 'America/Havana'), 'America/Havana')).toBe('2026-03-08T01:00');
});

test('a time that the clocks show twice begins the first time and ends the second', () => {
  expect(firstAt('2026-11-01T01:30', NEW_YORK)).toBe(at('2026-11-01T05:30Z'));
  expect(lastAt('2026-11-01T01:30', NEW_YORK)).toBe(at('2026-11-01T06:30Z'));
});

test('days are as long as they are, and say why', () => {
  const [spring] = daysFrom('2026-03-08', 1, NEW_YORK);
  expect((spring!.until - spring!.from) / HOUR).toBe(23);
  expect(sayChange(spring!, NEW_YORK)).toBe('23 hours: at 02:00 the clocks go on by an hour');
  const [autumn] = daysFrom('2026-11-01', 1, NEW_YORK);
  expect((autumn!.until - autumn!.from) / HOUR).toBe(25);
  expect(sayChange(autumn!, NEW_YORK)).toBe('25 hours: at 02:00 the clocks go back by an hour');
  const [howe] = daysFrom('2020-10-04', 1, 'Australia/Lord_Howe');
  expect(sayChange(howe!, 'Australia/Lord_Howe')).toBe('23.5 hours: at 02:00 the clocks go on by 30 minutes');
  const [usual] = daysFrom('2026-11-02', 1, NEW_YORK);
  expect(sayChange(usual!, NEW_YORK)).toBe('');
});

test('days of a week meet without a gap, whatever the clocks do', () => {
  for (const zone of [NEW_YORK, 'America/Havana', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC']) {
    const days = daysFrom('2026-03-02', 300, zone);
    days.slice(1).forEach((day, n) => expect(day.from, `${zone} ${day.date}`).toBe(days[n]!.until));
    for (const day of days) expect(wallOf(day.from, zone).slice(0, 10)).toBe(day.date);
  }
});

test('an hour that comes twice is marked twice, one that is skipped not at all', () => {
  const marks = (date: string) => hourMarks(daysFrom(date, 1, NEW_YORK)[0]!, NEW_YORK, 1).map((mark) => mark.text);
  expect(marks('2026-11-01')).toHaveLength(25);
  expect(marks('2026-11-01').filter((text) => text === '01:00')).toHaveLength(2);
  expect(marks('2026-03-08')).not.toContain('02:00');
  expect(marks('2026-03-08')).toHaveLength(23);
});

test('what is dragged comes to rest at a time of the clocks', () => {
  expect(snap(at('2026-11-23T13:22Z'), NEW_YORK, 60)).toBe(at('2026-11-23T13:00Z'));
  expect(snap(at('2026-11-23T13:40Z'), NEW_YORK, 15)).toBe(at('2026-11-23T13:45Z'));
  // India is half an hour off: whole hours of its clocks.
  expect(wallOf(snap(at('2026-11-23T13:22Z'), 'Asia/Kolkata', 60), 'Asia/Kolkata')).toBe('2026-11-23T19:00');
});

test('a day later is the same time of the clocks, an hour later is an hour', () => {
  const eve = firstAt('2026-10-31T08:00', NEW_YORK);
  expect(later(eve, NEW_YORK, 1, 0) - eve).toBe(25 * HOUR);
  expect(later(eve, NEW_YORK, 0, 60) - eve).toBe(HOUR);
  expect(later(eve, NEW_YORK, -1, 0) - eve).toBe(-24 * HOUR);
});

test('days, months and Mondays', () => {
  expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
  expect(addMonths('2026-12-15', 1)).toBe('2027-01-01');
  expect(mondayOf('2026-11-29')).toBe('2026-11-23');
  expect(mondayOf('2026-11-23')).toBe('2026-11-23');
});
