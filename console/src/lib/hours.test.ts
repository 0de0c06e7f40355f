import { describe, expect, it } from 'vitest';
import { civil, instant, lengthOf, newWindow, numberFaults, overlaps, pictureOf, sayFlow, sayNow, tidiedNumber } from './hours';
import type { CallType, Weekday, Window } from './types';

const window = (name: string, days: Weekday[], from: string, until: string): Window => ({ ...newWindow(), name, days, from, until });

describe('the week as a picture', () => {
  it('has what goes over midnight on both days, and goes round', () => {
    const days = pictureOf([window('night', ['sunday'], '22:00', '06:00')]);
    expect(days[6]).toEqual([{ window: 0, from: 1320, until: 1440 }]);
    expect(days[0]).toEqual([{ window: 0, from: 0, until: 360 }]);
  });

  it('has the shorter one of two on top, whatever their order', () => {
    const day = window('day', ['monday'], '00:00', '00:00');
    const lunch = window('lunch', ['monday'], '12:00', '13:00');
    expect(pictureOf([lunch, day])[0]!.map((p) => p.window)).toEqual([1, 0]);
    expect(pictureOf([day, lunch])[0]!.map((p) => p.window)).toEqual([0, 1]);
    expect(pictureOf([day, { ...day }])[0]!.map((p) => p.window)).toEqual([1, 0]);
  });

  it('leaves out what is no time', () => {
    expect(lengthOf({ from: '8', until: '17:00' })).toBeNull();
    expect(lengthOf({ from: '08:00', until: '08:00' })).toBe(1440);
    expect(pictureOf([window('x', ['monday'], '', '17:00')]).flat()).toEqual([]);
  });
});

describe('windows that overlap', () => {
  it('are told with the one that counts', () => {
    const told = overlaps([window('day', ['tuesday'], '08:00', '17:00'), window('lunch', ['tuesday', 'friday'], '12:00', '13:00')]);
    expect(told).toEqual(['“day” and “lunch” overlap (Tue 12:00): there “lunch” counts, as it is shorter.']);
  });

  it('over midnight and over the end of the week too', () => {
    const told = overlaps([window('weekend', ['sunday'], '20:00', '08:00'), window('early', ['monday'], '06:00', '18:00')]);
    expect(told[0]).toContain('(Mon 06:00): there “weekend” counts, as it stands first');
  });

  it('do not if one begins when the other ends', () => {
    expect(overlaps([window('day', ['monday'], '08:00', '17:00'), window('night', ['monday'], '17:00', '08:00')])).toEqual([]);
  });
});

describe('civil times', () => {
  it('go to an instant and back', () => {
    const at = Date.UTC(2026, 10, 26, 5, 30);
    expect(civil(at, 'America/New_York')).toBe('2026-11-26T00:30');
    expect(instant('2026-11-26T00:30', 'America/New_York')).toBe(at);
    expect(instant('', 'America/New_York')).toBeNull();
  });

  it('that are shown twice are meant the first time, and those never shown come after the gap', () => {
    expect(instant('2026-11-01T01:30', 'America/New_York')).toBe(Date.UTC(2026, 10, 1, 5, 30));
    expect(instant('2026-03-08T02:30', 'America/New_York')).toBe(Date.UTC(2026, 2, 8, 7, 30));
  });
});

it('ways are said in plain words', () => {
  const types = [{ id: 'ct_a', name: 'Urgent' }] as CallType[];
  expect(sayFlow({ kind: 'queue', call_type: 'ct_a', priority: 5 }, types)).toBe('callers wait for an operator as “Urgent” with priority 5');
  expect(sayFlow({ kind: 'queue', skills: ['spanish'] }, types)).toBe('callers wait for an operator with spanish');
  expect(sayFlow({ kind: 'menu', menu: 'night' }, types)).toBe('callers choose from the menu “night”');
});

it('what counts now is said with its name, its end and its reason', () => {
  const at = Date.UTC(2026, 10, 26, 5, 0);
  const now = { at, why: 'window night', window: 'night', flow: { kind: 'queue' as const }, until: at + 8 * 3_600_000 };
  expect(sayNow(now, 'America/New_York', [])).toEqual({ what: 'night', until: 'until 08:00', why: 'these are its hours', then: 'callers wait for an operator' });
  const storm = sayNow({ ...now, why: 'override: storm: closed', window: null, until: null }, 'UTC', []);
  expect(storm).toMatchObject({ what: 'storm: closed', until: 'for the next seven days at least', why: 'somebody has set it for a time (storm: closed)' });
});

it('numbers elsewhere are tidied as far as they are understood', () => {
  expect(['(202) 555-0160', '1 202 555 0160', '011 44 20 7946 0000', '555'].map(tidiedNumber)).toEqual(['+12025550160', '+12025550160', '+442079460000', '555']);
  const spill = (number: string) => numberFaults({ kind: 'spill', number, ring_secs: 30, failed: 'queue', before_answer: false }, '/hours/usual');
  expect(spill('+12025550160')).toEqual([]);
  expect(spill('911')[0]!.pointer).toBe('/hours/usual/number');
});

it('the ways of those whom nobody takes have their numbers looked at as well', () => {
  const failed = { kind: 'voicemail' as const, speech: { kind: 'spoken' as const, text: 'Speak.' }, call_type: 'ct_a', max_secs: 120, silence_secs: null as unknown as number };
  expect(numberFaults({ kind: 'patch', whom: [], failed }, '/hours/usual').map((f) => f.pointer)).toEqual(['/hours/usual/failed/silence_secs']);
});
