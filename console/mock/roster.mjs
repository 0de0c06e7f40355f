// Schedules of the stand-in: one a role, people taking turns by the day, overrides on top; enough to look at the calendar and drag in it.
// It knows UTC alone, and neither windows nor holidays nor temporary schedules: those are the server's.

import { ACCOUNTS, PLUMBING, ref } from './data.mjs';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let rosters;
let next;

const people = (account) => account.contacts.map(({ id, name, title }) => ({ id, name, title }));

export function resetRosters(now) {
  next = 1;
  const eight = Math.floor(now / DAY) * DAY + 13 * HOUR;
  rosters = ACCOUNTS.flatMap((account) =>
    account.on_call.map(({ role }) => {
      const turns = account.contacts.map(({ id }) => ({ people: [id], length: { unit: 'days', count: 1 } }));
      const layer = { name: 'rotation A', zone: null, rotation: { anchor: '2026-11-02T08:00', turns }, windows: [], days: 'all', from: null, until: null, beside: false };
      const over = (kind, contact, from, until, note) => ({ id: `ovr_${next++}`, kind, contact, instead_of: null, from, until, note, by: 'Sam Whitaker', made_at: now - 3 * HOUR });
      const [first, second = first] = account.contacts.map((c) => c.id);
      const overrides = account.id === PLUMBING.id ? [over('only', first, eight + DAY, eight + DAY + 9 * HOUR, 'dentist'), ...[first, second].map((c) => over('remove', c, eight + 2 * DAY + 13 * HOUR, eight + 2 * DAY + 17 * HOUR, ''))] : [];
      return { edition: 1, id: `sch_${account.id}_${role}`, account: account.id, role, zone: account.zone, layers: [layer], temporary: [], overrides, fallback: null, remind: false };
    }),
  );
}

function turnAt(schedule, at) {
  const turns = schedule.layers.at(-1)?.rotation.turns ?? [];
  const day = Math.floor((at - 13 * HOUR) / DAY);
  return turns.length ? turns[((day % turns.length) + turns.length) % turns.length].people : [];
}

function whoAt(schedule, at) {
  let set = turnAt(schedule, at);
  const ids = [];
  for (const o of schedule.overrides) {
    if (at < o.from || at >= o.until) continue;
    const before = set.join();
    if (o.kind === 'only') set = [o.contact];
    else if (o.kind === 'add') set = [...new Set([...set, o.contact])];
    else if (o.kind === 'remove') set = set.filter((p) => p !== o.contact);
    else set = set.map((p) => (p === o.instead_of ? o.contact : p));
    if (set.join() !== before || o.kind === 'only') ids.push(o.id);
  }
  if (set.length === 0) return { people: [], why: 'nobody is on call', source: { kind: 'nobody' } };
  if (ids.length) return { people: set, why: 'override by Sam Whitaker, 09:12, beats rotation A', source: { kind: 'override', ids } };
  return { people: set, why: 'rotation A', source: { kind: 'layer', layers: [0] } };
}

/** Pieces of `from` to `until`, joined where `look` says the same. */
function spans(schedule, from, until, look) {
  const edges = new Set([from, until]);
  for (let at = Math.floor(from / DAY) * DAY + 13 * HOUR; at < until; at += DAY) edges.add(at);
  for (const o of schedule.overrides) edges.add(o.from).add(o.until);
  const times = [...edges].filter((at) => at >= from && at <= until).sort((a, b) => a - b);
  const found = [];
  times.slice(0, -1).forEach((at, n) => {
    const here = look(at);
    const last = found.at(-1);
    if (last && JSON.stringify([last.people, last.source]) === JSON.stringify([here.people, here.source])) last.until = times[n + 1];
    else found.push({ ...here, from: at, until: times[n + 1], starts: at !== from, ends: true });
  });
  if (found.length) found.at(-1).ends = false;
  return found;
}

function calendar(schedule, from, until) {
  const final = spans(schedule, from, until, (at) => whoAt(schedule, at));
  const layer = spans(schedule, from, until, (at) => ({ people: turnAt(schedule, at), why: 'rotation A', source: { kind: 'layer', layers: [0] } }));
  return {
    schedule: schedule.id, role: schedule.role, zone: schedule.zone, from, until, final,
    layers: [{ index: 0, name: 'rotation A', spans: layer.filter((s) => s.people.length) }],
    temporary: [],
    overrides: schedule.overrides.filter((o) => o.until > from && o.from < until).map((o) => ({ ...o, takes_effect: true })),
    gaps: final.filter((s) => s.people.length === 0).map(({ from, until }) => ({ from, until })),
    conflicts: [],
  };
}

function duty(schedule, now) {
  const account = ACCOUNTS.find((a) => a.id === schedule.account);
  const all = spans(schedule, now, now + 14 * DAY, (at) => whoAt(schedule, at));
  const named = (ids) => people(account).filter((p) => ids.includes(p.id));
  return {
    schedule: schedule.id, role: schedule.role, zone: schedule.zone, people: named(all[0].people), until: all[1] ? all[0].until : null,
    why: all[0].why, source: all[0].source, next: all[1] ? { people: named(all[1].people), from: all[1].from } : null,
  };
}

/** The answer to a request about schedules; nothing if it is about something else. */
export function rosterRoute(method, parts, query, body, tell) {
  const [noun, id, ...rest] = parts;
  const now = Date.now();
  const range = () => [Number(query.get('from')), Number(query.get('until'))];
  const changed = (schedule) => (tell({ type: 'account', id: schedule.account, edition: ++schedule.edition }), [200, schedule]);
  if (noun === 'on_call' && !id) return [200, { at: now, items: rosters.map((s) => ({ account: ref(ACCOUNTS.find((a) => a.id === s.account)), ...duty(s, now) })) }];
  if (noun === 'accounts') {
    const own = rosters.filter((s) => s.account === id);
    const account = ACCOUNTS.find((a) => a.id === id);
    const path = rest.join('/');
    if (method === 'GET' && path === 'on_call') return [200, { at: now, items: own.map((s) => duty(s, now)) }];
    if (method === 'GET' && path === 'calendar') return [200, { edition: own[0]?.edition ?? 1, items: own.map((s) => calendar(s, ...range())), people: people(account) }];
    if (method === 'GET' && path === 'schedules') return [200, { edition: own[0]?.edition ?? 1, items: own, people: people(account), holidays: [], zone: account.zone }];
    if (method === 'GET' && path === 'schedules/history') return [200, { items: [] }];
    if (method === 'GET' && path === 'schedules/feeds') return [200, { items: [] }];
    if (method === 'POST' && path === 'schedules/preview') {
      const draft = { id: null, overrides: own.find((s) => s.id === body.id)?.overrides ?? [], ...body.schedule };
      return [200, { ...calendar(draft, body.from, body.until), people: people(account), faults: [] }];
    }
    return undefined;
  }
  const schedule = noun === 'schedules' ? rosters.find((s) => s.id === id) : undefined;
  if (!schedule) return undefined;
  if (method === 'PUT' && rest.length === 0) return changed(Object.assign(schedule, { role: body.role, zone: body.zone, layers: body.layers, fallback: body.fallback, remind: body.remind }));
  const made = (o) => ({ instead_of: null, note: '', ...o, id: `ovr_${next++}`, by: 'Sam Whitaker', made_at: now });
  if (rest[0] === 'changes') {
    schedule.overrides = [...schedule.overrides.filter((o) => !body.remove.includes(o.id)), ...body.add.map(made)];
    return changed(schedule);
  }
  if (rest[0] === 'swap') {
    const put = (a, b) => made({ kind: 'replace', contact: b.contact, instead_of: a.contact, from: a.from, until: a.until });
    schedule.overrides = [...schedule.overrides, put(body.one, body.other), put(body.other, body.one)];
    return changed(schedule);
  }
  return undefined;
}
