import { expect, test } from 'vitest';
import { tell } from './history';

const line = (what: string, before: string | null = null, after: string | null = null) => ({ what, before, after });
const change = (lines: ReturnType<typeof line>[], undoes: number | null = null) => ({ what: lines.map((l) => l.what).join('; '), lines, undoes });

test('one thing is said once, with who was on call before and who is', () => {
  expect(tell(change([line('put Maya alone on call, Fri 08:00 – Sat 08:00', 'Ben', 'Maya')]))).toEqual({ head: 'put Maya alone on call, Fri 08:00 – Sat 08:00: Ben → Maya', lines: [] });
  expect(tell(change([line('changed who stands in', null, 'Office')])).head).toBe('changed who stands in: nothing → Office');
  expect(tell(change([line('put Cy in the place of Ben', 'Ada', 'Ada')])).head).toBe('put Cy in the place of Ben: Ada, as before');
});

test('what has no before and no after has no arrow', () => {
  expect(tell(change([line('put Maya alone on call')])).head).toBe('put Maya alone on call');
});

test('several things stand one below the other, those of an undo under what it took back', () => {
  const [one, other] = [line('took an override back', 'Maya', 'Ben'), line('changed the zone', 'UTC', 'Asia/Tokyo')];
  const said = ['took an override back: Maya → Ben', 'changed the zone: UTC → Asia/Tokyo'];
  expect(tell(change([one, other]))).toEqual({ head: '', lines: said });
  expect(tell(change([line('took back what Kim changed Fri 08:00'), one, other], 7))).toEqual({ head: 'took back what Kim changed Fri 08:00', lines: said });
});

test('a change of which nothing but its sentence is known is that sentence', () => {
  expect(tell({ what: 'made the schedule', lines: [], undoes: null })).toEqual({ head: 'made the schedule', lines: [] });
});
