import { describe, expect, it } from 'vitest';
import { age, clock, clockIn, clockOnce, countdown, day, elapsed, nextWords, until, when, yours } from './time';

const NIGHT = Date.UTC(2026, 2, 7, 7, 11, 5); // 02:11 in New York

describe('time', () => {
  it('shows a clock in the zone of the account', () => {
    expect(clock(NIGHT, 'America/New_York')).toBe('02:11');
    expect(clock(NIGHT, 'America/Chicago')).toBe('01:11');
    expect(clock(Date.UTC(2026, 2, 7, 5, 0), 'America/New_York')).toBe('00:00');
  });

  it('shows both clocks only where they differ', () => {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(clockIn(NIGHT, here)).toBe(clock(NIGHT));
    const far = here === 'Asia/Kathmandu' ? 'America/New_York' : 'Asia/Kathmandu';
    expect(clockIn(NIGHT, far)).toContain('(yours ');
    expect([yours(NIGHT, here), yours(NIGHT, far)]).toEqual(['', ` (yours ${clock(NIGHT)})`]);
  });

  it('says when the next step comes by her clock as well where it is another one', () => {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const far = here === 'Asia/Kathmandu' ? 'America/New_York' : 'Asia/Kathmandu';
    const [there, mine] = [clock(NIGHT, far), clock(NIGHT)];
    const next = { at: NIGHT, text: `If no reply by ${there}:05 +0545: call Ben (mobile).` };
    expect(nextWords(next, far)).toBe(`If no reply by ${there}:05 +0545 (yours ${mine}): call Ben (mobile).`);
    expect(nextWords(next, here)).toBe(next.text);
    expect(nextWords({ at: NIGHT, text: 'Being sent now.' }, far)).toBe('Being sent now.');
  });

  it('names the time where the clock shows the same twice, and nowhere else', () => {
    const zone = 'America/New_York';
    const first = Date.parse('2027-11-07T05:30Z');
    const hour = 3_600_000;
    expect([first - hour, first, first + hour, first + 2 * hour].map((at) => clockOnce(at, zone))).toEqual(['00:30', '01:30 EDT', '01:30 EST', '02:30']);
    expect(when(first + hour, first + 25 * hour, zone)).toBe('Sun 7 Nov 01:30 EST');
    expect(clockOnce(Date.parse('2027-10-31T00:30Z'), 'Europe/Berlin')).toMatch(/^02:30 \S+$/);
    expect(clockOnce(first, 'Nowhere/Atall')).toMatch(/^\d\d:\d\d$/);
  });

  it('falls back when the browser does not know a zone', () => {
    expect(clock(NIGHT, 'Nowhere/Atall')).toMatch(/^\d\d:\d\d$/);
  });

  it('names the day only when it is another one', () => {
    expect(when(NIGHT, NIGHT + 3_600_000, 'America/New_York')).toBe('02:11');
    expect(when(NIGHT, NIGHT + 86_400_000, 'America/New_York')).toBe('Sat 7 Mar 02:11');
    expect(day(NIGHT, 'America/New_York')).toBe('Sat 7 Mar');
  });

  it('counts up', () => {
    expect(elapsed(0)).toBe('0:00');
    expect(elapsed(21_900)).toBe('0:21');
    expect(elapsed(725_000)).toBe('12:05');
    expect(elapsed(3_729_000)).toBe('1:02:09');
    expect(elapsed(-5)).toBe('0:00');
  });

  it('counts down to the second and then says due', () => {
    expect(countdown(900_000, 0)).toBe('in 15:00');
    expect(countdown(900_000, 899_500)).toBe('in 0:01');
    expect(countdown(900_000, 900_000)).toBe('due');
  });

  it('tells an age at a glance', () => {
    expect(age(12_000)).toBe('12 s');
    expect(age(200_000)).toBe('3 min');
    expect(age(7_500_000)).toBe('2 h 05');
    expect(age(3 * 86_400_000)).toBe('3 days');
  });

  it('says how long somebody is on call', () => {
    expect(until(null, NIGHT)).toBe('open-ended');
    expect(until(NIGHT, NIGHT - 1000, 'America/New_York')).toBe('until 02:11');
  });
});
