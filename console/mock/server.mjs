// A stand-in for the server, to work on the console alone: log-in, the feed, a call that pops, patch, dispatch.
// Speaks the HTTP API and the feed. Calls have no sound, but for mock/call.mjs, which brings its own far end.
//
//   npm run mock            http://127.0.0.1:8099, any password, serving dist/
//   POST /mock/ring         a caller rings (?to=clinic); POST /mock/alarm, /mock/reset
//   POST /mock/floor        a busy floor, for the supervisor (log in as sam)
//   POST /mock/tell         the event in the body, to every console
//   POST /mock/revoke       the session is ended, as by an admin: every token is refused until somebody logs in

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';
import { resetRosters, rosterRoute } from './roster.mjs';
import { bye, invite, phoneState, upgrade } from './sip.mjs';
import { SAM, busyFloor, withSupervisor } from './floor.mjs';
import { ACCOUNTS, CLINIC, KIM, PLUMBING, USERS, dispatch, messageOf, ref, startAbandoned, startCallbacks, madeVersions, simulated, startDispatches, versions, checkWays, whole } from './data.mjs';

const PORT = Number(process.env.PORT ?? 8099);
const DIST = join(import.meta.dirname, '..', 'dist');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// As the real server: a page that needs more than this is wrong.
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

const sockets = new Set();
let state;
/** Who logged in last. */
let user = KIM;

/** An account's recap as the mock's house has it: every morning at eight, the last one late. */
function recapOf(account) {
  const eight = new Date().setHours(8, 0, 0, 0);
  const to = account.contacts.filter((c) => c.destinations.some((d) => d.reach.kind === 'email')).slice(0, 2);
  const plan = { times: ['08:00'], to: to.map((c) => ({ contact: c.id, destination: c.destinations.find((d) => d.reach.kind === 'email').label })), empty: true };
  const sent = (days, held, taken, late) => ({
    due_at: eight - days * 86_400_000, made_at: eight - days * 86_400_000, late, held, taken,
    to: (to.length ? to : account.contacts.slice(0, 1)).map((c) => ({ name: c.name, accepted_at: eight - days * 86_400_000, failed: null })),
  });
  return { plan, next_at: eight + 86_400_000, last: [sent(0, 3, 2, false), sent(1, 0, 1, true)] };
}

function reset() {
  const now = Date.now();
  resetRosters(now);
  for (const a of ACCOUNTS) for (const d of a.on_call) d.until = now + 6 * 3_600_000;
  state = {
    seat: { user: { id: KIM.id, name: KIM.name }, state: 'not_ready', reason: null, since: now, calls: [] },
    calls: new Map(),
    dispatches: new Map(startDispatches(now).map((d) => [d.id, d])),
    messages: new Map(),
    alarms: [],
    drafts: new Map(),
    pins: [{ contact: ACCOUNTS[0].contacts[0].id, set_by: { id: 'usr_sam', name: 'Sam Whitaker' }, set_at: now - 86_400_000 }],
    waiting: [],
    floor: { seats: [], calls: [], figures: busyFloor(now).figures, answer_within_secs: 20 },
    recordings: [
      { speech: { kind: 'uploaded', recording: '1b2c' }, millis: 7_400, by: { id: 'usr_sam', name: 'Sam Whitaker' }, at: now - 3_600_000 },
      { speech: { kind: 'uploaded', recording: '9d8e' }, millis: 12_800, by: { id: KIM.id, name: KIM.name }, at: now - 3 * 86_400_000 },
    ],
    greeting: { speech: { kind: 'uploaded', recording: '77aa' }, by: 'Dr Anil Patel', at: now - 2 * 3_600_000, until: now + 10 * 3_600_000 },
    next: 1,
  };
  for (const d of state.dispatches.values()) state.messages.set(d.message, messageOf(d, now));
  state.waiting = [
    { call: 'call_w1', account: ref(CLINIC), since: now - 21_000, priority: 1, skills: ['medical', 'spanish'], ring_back: false },
    { call: 'call_w2', account: ref(PLUMBING), since: now - 8_000, priority: 0, skills: [], ring_back: false },
    { call: 'call_w3', account: ref(PLUMBING), since: now - 370_000, priority: 0, skills: [], ring_back: true },
  ];
  state.abandoned = startAbandoned(now);
  state.callbacks = startCallbacks(now);
  state.earlier = new Map();
  state.status = [
    { id: 'sta_1', account: PLUMBING.id, text: 'Van 2 is in the garage: no heavy tools tonight', by: { id: 'usr_lee', name: 'Lee Marsh' }, at: now - 5_400_000, until: now + 6 * 3_600_000 },
    { id: 'sta_2', account: CLINIC.id, text: 'Dr Patel runs 40 minutes late', by: { id: 'usr_max', name: 'Max Ott' }, at: now - 900_000, until: null },
  ];
}
reset();

const colleague = (id, name, at) => ({ user: { id, name }, state: at, reason: null, since: Date.now(), calls: [] });
const COLLEAGUES = [colleague('usr_lee', 'Lee Marsh', 'ready'), colleague('usr_max', 'Max Ott', 'talking'), colleague('usr_noor', 'Noor Haddad', 'ready')];

const queue = () => ({ waiting: state.waiting, ready: 2, talking: 3 });
const tell = (event) => {
  for (const s of sockets) s.send(JSON.stringify(event));
};

function hello() {
  return {
    type: 'hello',
    user,
    seat: { ...state.seat, user: { id: user.id, name: user.name } },
    calls: [...state.calls.values()],
    queue: queue(),
    dispatches: [...state.dispatches.values()].filter((d) => d.closed_at === null),
    alarms: state.alarms,
    not_ready_reasons: ['Break', 'Lunch', 'Training', 'System'],
  };
}

function setSeat(more) {
  state.seat = { ...state.seat, ...more, since: Date.now() };
  tell({ type: 'seat', seat: state.seat });
}

const HEARS = {
  talking: [
    ['caller', 'operator'],
    ['operator', 'caller'],
  ],
  held: [['caller', 'music']],
  ringing: [
    ['caller', 'music'],
    ['operator', 'ringback'],
  ],
  private: [
    ['caller', 'music'],
    ['operator', 'contact'],
    ['contact', 'operator'],
  ],
  joined: [
    ['caller', 'operator', 'contact'],
    ['operator', 'caller', 'contact'],
    ['contact', 'caller', 'operator'],
  ],
  held_contact: [
    ['caller', 'operator'],
    ['operator', 'caller'],
    ['contact', 'music'],
  ],
  four: [
    ['caller', 'operator', 'contact', 'colleague'],
    ['operator', 'caller', 'contact', 'colleague'],
    ['contact', 'caller', 'operator', 'colleague'],
    ['colleague', 'caller', 'operator', 'contact'],
  ],
  dropped: [
    ['caller', 'contact'],
    ['contact', 'caller'],
  ],
};
const hears = (name) => (HEARS[name] ?? []).map(([who, ...rest]) => ({ who, hears: rest }));

function update(call, more) {
  const moved = more.state && more.state !== call.state;
  const next = { ...call, ...more, state_since: moved ? Date.now() : call.state_since };
  state.calls.set(call.id, next);
  tell({ type: 'call', call: next });
  return next;
}

function ring(account, offered = false) {
  const now = Date.now();
  const id = `call_${state.next++}`;
  const busy = [...state.calls.values()].some((c) => c.seat === KIM.id && c.state !== 'wrap_up' && c.state !== 'held');
  const wait = offered || busy;
  const call = {
    id,
    account: ref(account),
    account_brief: { answer_phrase: account.answer_phrase, notes: account.notes },
    did: account.dids[0],
    caller: '+12025550187',
    forwarded_from: '+12025550140',
    state: wait ? 'offered' : 'talking',
    seat: KIM.id,
    started_at: now - 12_000,
    state_since: now,
    offered_until: wait ? now + 20_000 : null,
    patch: null,
    hears: hears(wait ? '' : 'talking'),
    ended: null,
    parked: null,
    colleague: null,
    taken: false,
    note: null,
    recording: { mode: 'on_demand', state: 'off' },
    earlier: 2,
    listeners: [],
    chosen: account === CLINIC ? [{ key: '1', label: 'doctor or laboratory' }] : [],
    call_type: account === CLINIC ? account.call_types[0].id : null,
  };
  state.calls.set(id, call);
  setSeat({ state: wait && !busy ? 'offered' : 'talking', calls: [...state.calls.keys()] });
  tell({ type: 'call', call });
  return id;
}

/** She speaks in one call at a time. */
function aside(but) {
  for (const c of state.calls.values()) if (c.id !== but && c.seat === KIM.id && c.state === 'talking') update(c, { state: 'held', hears: hears('held') });
}

const talk = (c, more = {}) => {
  aside(c.id);
  return update(c, { state: 'talking', seat: KIM.id, offered_until: null, hears: hears('talking'), ...more });
};

const actions = {
  take: (c) => {
    state.waiting = state.waiting.filter((w) => w.call !== c.id);
    tell({ type: 'queue', queue: queue() });
    return talk(c);
  },
  hold: (c) => update(c, { state: 'held', hears: hears('held') }),
  retrieve: (c) => talk(c),
  park: (c) => parkAt(c, Date.now(), KIM.id),
  fetch: (c) => talk(c, { parked: null, taken: true }),
  pass: (c) => update(c, { state: 'queued', seat: null, taken: true, hears: hears('held') }),
  check_in: (c) => {
    update(c, { state: 'check_in', hears: [], wrap_up_until: null });
    setSeat({ state: 'wrap_up' });
  },
  keys: () => {},
  account: (c, body) => {
    const account = ACCOUNTS.find((a) => a.id === body.account);
    update(c, { account: ref(account), account_brief: { answer_phrase: account.answer_phrase, notes: account.notes } });
  },
  ask: (c, body) => {
    const asked = update(c, { state: c.patch ? 'conference' : 'consulting', colleague: { user: body.user, there: false, since: Date.now() } });
    setTimeout(() => update({ ...asked }, { colleague: { user: body.user, there: true, since: Date.now() } }), 600);
  },
  'ask/hand_over': (c) => update(c, { state: 'talking', seat: c.colleague.user, colleague: null, taken: true }),
  'ask/join': (c) => update(c, { state: 'conference', colleague: { ...c.colleague, joined: true }, hears: hears('four').filter(({ who }) => c.patch || who !== 'contact') }),
  'ask/cancel': (c) => talk(c, { colleague: null }),
  'recording/start': (c) => update(c, { recording: { ...c.recording, state: 'on' } }),
  'recording/resume': (c) => update(c, { recording: { ...c.recording, state: 'on' } }),
  'recording/pause': (c) => update(c, { recording: { ...c.recording, state: 'paused' } }),
  'recording/cover': (c) => update(c, { recording: { ...c.recording, state: c.recording.state === 'on' ? 'paused' : c.recording.state, covered: c.recording.state === 'on' || c.recording.covered } }),
  'recording/uncover': (c) => update(c, { recording: { ...c.recording, state: c.recording.covered ? 'on' : c.recording.state, covered: false } }),
  'recording/stop': (c) => update(c, { recording: { ...c.recording, state: 'off' } }),
  hangup: (c) => {
    update(c, { state: 'wrap_up', hears: [], ended: { cause: 'released' }, patch: null, wrap_up_until: Date.now() + 45_000 });
    setSeat({ state: 'wrap_up' });
  },
  patch: (c, body) => {
    const account = ACCOUNTS.find((a) => a.id === c.account.id);
    const contact = account.contacts.find((p) => p.id === body.contact);
    const number = body.number ?? contact?.destinations.find((d) => d.id === body.destination)?.reach.address ?? '+12025550100';
    const patch = (s) => ({ state: s, contact: contact ? { id: contact.id, name: contact.name } : null, number, since: Date.now(), next: contact ? '+12025550166' : null });
    let call = update(c, { state: 'patching', patch: patch('dialling'), hears: hears('ringing') });
    const later = (ms, s, more) =>
      setTimeout(() => {
        const live = state.calls.get(c.id);
        if (live?.patch && live.patch.state === call.patch.state) call = update(live, { patch: patch(s), ...more });
      }, ms);
    later(400, 'ringing', {});
    later(1_200, 'private', { hears: hears('private') });
  },
  'patch/join': (c) => update(c, { state: 'conference', patch: { ...c.patch, state: 'joined', since: Date.now() }, hears: hears('joined') }),
  'patch/hold': (c) => update(c, { state: 'conference', patch: { ...c.patch, state: 'held', since: Date.now() }, hears: hears('held_contact') }),
  'patch/private': (c) => update(c, { state: 'patching', patch: { ...c.patch, state: 'private', since: Date.now() }, hears: hears('private') }),
  'patch/next': (c) => update(c, { patch: { ...c.patch, state: 'ringing', number: c.patch.next, next: null, since: Date.now() }, hears: hears('ringing') }),
  'patch/drop': (c) => {
    update(c, { state: 'patched', patch: { ...c.patch, state: 'dropped', since: Date.now() }, hears: hears('dropped') });
    setSeat({ state: 'wrap_up' });
  },
  'patch/cancel': (c) => update(c, { state: 'talking', patch: null, hears: hears('talking') }),
  wrap_up_more: (c) => update(c, { wrap_up_until: (c.wrap_up_until ?? Date.now()) + 45_000 }),
  wrap_up_done: (c) => {
    state.calls.delete(c.id);
    tell({ type: 'call_gone', id: c.id });
    setSeat({ state: state.calls.size ? 'talking' : 'ready', calls: [...state.calls.keys()] });
  },
};

function parkAt(c, since, by) {
  const slots = new Set([...state.calls.values()].map((o) => o.parked?.slot));
  const slot = [1, 2, 3, 4, 5].find((n) => !slots.has(n));
  update(c, {
    state: 'parked',
    seat: null,
    taken: true,
    hears: hears('held'),
    parked: { slot, by, since, remind_at: since + 60_000, return_at: since + 180_000 },
  });
}

function checkForm(form, answers) {
  return form.fields
    .filter((f) => f.required && !answers[f.name]?.trim())
    .map((f) => ({ field: f.name, code: 'required', message: `Please ask for: ${f.label}.` }));
}

function saveMessage(body) {
  const account = ACCOUNTS.find((a) => a.id === body.account);
  const type = account?.call_types.find((t) => t.id === body.call_type);
  if (!type) return [404, problem(404, 'not_found', 'No such account or call type.')];
  const errors = checkForm(type.form, body.answers);
  if (errors.length) return [422, { ...problem(422, 'form.invalid', 'The form is not complete.'), errors }];
  const now = Date.now();
  const id = `dsp_${state.next++}n`;
  const d =
    type.protocol === null
      ? null
      : dispatch(id, account, now + 5000, {
          state: 'open',
          urgency: type.urgency,
          undo_until: now + 5000,
          headline: `${body.answers.name} · ${body.answers.problem ?? 'message'}`,
          next: { at: now + 5000, text: 'Text to Ben Ortiz, technician on call (rotation B).' },
          timeline: [{ at: now, kind: 'opened', text: 'Message saved.', who: KIM.name }],
        });
  const message = {
    id: `msg_${id}`,
    account: ref(account),
    call_type: { id: type.id, name: type.name },
    call: body.call ?? null,
    caller: body.caller ?? null,
    urgency: type.urgency,
    taken_by: { id: KIM.id, name: KIM.name },
    taken_at: now,
    form: type.form,
    answers: body.answers,
    dispatch: d,
  };
  state.messages.set(message.id, message);
  if (body.draft) state.drafts.delete(body.draft);
  if (d) {
    state.dispatches.set(id, d);
    tell({ type: 'dispatch', dispatch: d });
    setTimeout(() => advance(id), 5_200);
  }
  return [201, message];
}

function change(id, more) {
  const d = state.dispatches.get(id);
  if (!d) return;
  const next = { ...d, ...more };
  state.dispatches.set(id, next);
  const message = state.messages.get(d.message);
  if (message) message.dispatch = next;
  tell({ type: 'dispatch', dispatch: next });
}

function advance(id) {
  const d = state.dispatches.get(id);
  if (!d) return;
  const now = Date.now();
  const line = { at: now, kind: 'accepted', text: 'Text sent to Ben Ortiz, accepted by the carrier.' };
  change(id, {
    state: 'running',
    undo_until: null,
    last: line,
    next: { at: now + 15 * 60_000, text: 'If no reply: call his mobile.' },
    timeline: [...d.timeline, line],
  });
}

function settle(id, more, line) {
  const d = state.dispatches.get(id);
  change(id, { closed_at: Date.now(), needs_operator: false, alarm: null, next: null, last: line, timeline: [...d.timeline, line], ...more });
}

const problem = (status, code, detail) => ({ type: 'about:blank', title: 'Error', status, code, detail });
const session = () => {
  const { id, login, name, role } = user;
  return { access_token: 'mock', refresh_token: 'mock', expires_in: 900, user: { id, login, name, role } };
};
const page = (items) => ({ items, next: null });

function route(method, path, query, body) {
  const parts = path.split('/').slice(3);
  const [noun, id, ...rest] = parts;
  const key = `${method} ${noun}`;
  if (state.revoked && !(key === 'POST sessions' && !id)) return [401, problem(401, 'auth.ended', 'This session was ended.')];
  if (key === 'POST sessions') {
    state.revoked = false;
    if (id === 'refresh') return [200, session()];
    user = body.login === SAM.login ? SAM : (USERS.find((u) => u.login === body.login) ?? KIM);
    return body.password === 'wrong' ? [401, problem(401, 'auth.failed', 'Name or password is not right.')] : [201, session()];
  }
  if (key === 'DELETE sessions') return [204];
  const roster = rosterRoute(method, parts, query, body, tell);
  if (roster) return roster;
  if (key === 'GET me') return [200, { user: KIM, seat: state.seat }];
  if (key === 'GET accounts') {
    if (!id) return [200, page(ACCOUNTS.map((a) => ({ ...ref(a), dids: a.dids })))];
    const account = ACCOUNTS.find((a) => a.id === id);
    if (rest[0] === 'messages') return [200, page([...state.messages.values()].filter((m) => m.account.id === id).slice(0, 3))];
    if (rest[1] === 'templates') return [200, page([])];
    if (rest[1] === 'versions') return [200, page(madeVersions(account).filter((v) => v.name === query.get('name')))];
    if (rest[0] === 'protocols') return [200, page(versions(account))];
    if (rest[0] === 'held') {
      return [200, page([...state.messages.values()].filter((m) => m.account.id === id && m.dispatch?.held_since && m.dispatch.closed_at === null))];
    }
    if (rest[0] === 'pins') return [200, page(state.pins)];
    if (rest[0] === 'recap') return [200, state.recap ?? recapOf(account)];
    if (rest[0] === 'recordings') return [200, page(state.recordings)];
    return account ? [200, { ...whole(account), status: state.status.filter((l) => l.account === id), status_greeting: state.greeting, answer_phrases: id === CLINIC.id ? [{ operator: user.id, speech: { kind: 'uploaded', recording: '5566' }, millis: 3_400 }] : [] }] : [404, problem(404, 'not_found', 'No such account.')];
  }
  if (rest[0] === 'recap') {
    if (method === 'DELETE') return (state.recap = { plan: null, next_at: null, last: [] }), [204];
    state.recap = { ...recapOf(ACCOUNTS.find((a) => a.id === id)), plan: body };
    return [200, state.recap];
  }
  if (rest[0] === 'pin') {
    const contact = noun === 'contacts' ? id : null;
    state.pins = state.pins.filter((p) => p.contact !== contact);
    if (method === 'DELETE') return [204];
    if (body.pin === '1234') {
      const fault = { pointer: '/pin', code: 'pin.invalid', detail: 'This is what everybody tries first.', cure: 'Choose digits that do not follow one another.' };
      return [422, { ...problem(422, 'account.invalid', `${fault.detail} ${fault.cure}`), errors: [fault] }];
    }
    const set = { contact, set_by: { id: user.id, name: user.name }, set_at: Date.now() };
    state.pins = [...state.pins, set];
    return [200, set];
  }
  if (key === 'POST accounts' && rest.join('/') === 'flow/check') return [200, checkWays(body)];
  if (key === 'POST accounts' && rest.join('/') === 'menus/try') return tryMenu(id, body.menu), [202];
  if (key === 'PUT accounts' && rest[0] === 'flow') return [200, { hours: body.hours, menus: body.menus, edition: 1 }];
  if (key === 'POST accounts' && rest[0] === 'status') {
    const line = { id: `sta_${state.next++}`, account: id, text: body.text, by: { id: KIM.id, name: KIM.name }, at: Date.now(), until: body.until ?? null };
    state.status = [line, ...state.status];
    tell({ type: 'account', id, edition: 1 });
    return [201, line];
  }
  if (key === 'POST accounts' && rest.join('/') === 'recordings/by_phone') return dictate(id), [202];
  if (key === 'DELETE accounts' && rest[0] === 'recordings') return (state.recordings = state.recordings.filter((r) => r.speech.recording !== rest[1])), [204];
  if (key === 'DELETE accounts' && rest[0] === 'status_greeting') return (state.greeting = null), tell({ type: 'account', id, edition: 1 }), [204];
  if (key === 'DELETE status') return (state.status = state.status.filter((l) => l.id !== id)), [204];
  if (key === 'GET handover') return [200, sheet()];
  // What is written of an account is refused, to see how that is told.
  if (key === 'POST accounts' && rest[1] === 'simulate') return [200, simulated(body)];
  if (key === 'POST accounts' && rest[1] === 'check') return [200, { text: ACCOUNTS[0].protocols[0].text, errors: [] }];
  if (key === 'PUT accounts' || key === 'POST accounts') {
    const fault = { pointer: '/dids/0', code: 'account.did_taken', detail: `This number belongs to ${CLINIC.name}.`, cure: 'Choose another number.' };
    return [409, { ...problem(409, 'account.clash', `${fault.detail} ${fault.cure}`), errors: [fault] }];
  }
  if (key === 'GET users') return [200, page(USERS)];
  if (key === 'GET audit') {
    const has = (name, value) => !query.get(name) || query.get(name) === value;
    const rows = auditRows(Date.now(), query.get('object')).filter((row) => {
      const act = query.get('act');
      const within = row.at >= Number(query.get('since') ?? 0) && row.at < Number(query.get('until') ?? Infinity);
      return has('who', row.who.id) && has('object', row.object) && (!act || row.act === act || row.act.startsWith(`${act}.`)) && within;
    });
    return [200, { items: rows, next: query.get('object') ? null : 41 }];
  }
  if (key === 'GET messages') {
    if (rest[0] === 'editions') return [200, page(editionsOf(state.messages.get(id)))];
    if (id) return state.messages.has(id) ? [200, state.messages.get(id)] : [404, problem(404, 'not_found', 'No such message.')];
    const items = [...state.messages.values()]
      .filter((m) => (!query.get('account') || m.account.id === query.get('account')) && (!query.get('open') || m.dispatch?.closed_at === null) && (!query.get('graded') || m.graded?.how === query.get('graded')))
      .sort((a, b) => b.taken_at - a.taken_at);
    return [200, page(items)];
  }
  if (key === 'PUT messages') {
    const old = state.messages.get(id);
    const now = { ...old, answers: body.answers, edition: (old.edition ?? 1) + 1, changed: { by: { id: KIM.id, name: KIM.name }, at: Date.now() } };
    state.earlier.set(id, [...(state.earlier.get(id) ?? []), old]);
    state.messages.set(id, now);
    const line = { at: Date.now(), kind: 'changed', text: body.again ? 'Changed by Kim Novak: it goes out again from the first step. What was told before stays as told.' : 'Changed by Kim Novak: what goes out from now on says it anew. What was told before stays as told.' };
    if (now.dispatch) change(now.dispatch.id, { edition: now.edition, last: line, timeline: [...now.dispatch.timeline, line] });
    return [200, state.messages.get(id)];
  }
  if (key === 'POST messages') {
    if (rest[0] !== 'undo') return saveMessage(body);
    const message = state.messages.get(id);
    state.messages.delete(id);
    if (message?.dispatch) {
      state.dispatches.delete(message.dispatch.id);
      tell({ type: 'dispatch', dispatch: { ...message.dispatch, state: 'cancelled', closed_at: 1, next: null } });
    }
    return [204];
  }
  if (noun === 'drafts') {
    if (method === 'GET') return [200, page([...state.drafts.values()])];
    if (rest[0] === 'take') {
      const left = state.abandoned.find((a) => a.draft?.id === id);
      return [200, { ...left.draft, account: left.account.id, call: left.call, caller: left.caller, saved_at: left.ended_at }];
    }
    if (method === 'DELETE') return state.drafts.delete(id), [204];
    state.drafts.set(id, { id, ...body, saved_at: Date.now() });
    return [200, { id, saved_at: Date.now() }];
  }
  if (noun === 'dispatches') {
    if (method === 'GET') return [200, page([...state.dispatches.values()])];
    const now = Date.now();
    if (rest[0] === 'lock') {
      const lock = method === 'PUT' ? { by: { id: KIM.id, name: KIM.name }, since: now, until: now + 600_000 } : null;
      change(id, { lock });
      return lock ? [200, lock] : [204];
    }
    if (rest[0] === 'confirm') settle(id, { state: 'confirmed', confirmed_by: body.by }, { at: now, kind: 'confirmed', text: `Confirmed by ${body.by}, entered by hand.`, who: KIM.name });
    if (rest[0] === 'read') settle(id, { state: 'read_at_check_in', confirmed_by: body.to, held_since: null }, { at: now, kind: 'told', text: `${KIM.name} read it out to ${body.to} at check-in.`, who: body.to });
    if (rest[0] === 'close') settle(id, { state: 'closed_by_operator' }, { at: now, kind: 'closed', text: `Closed: ${body.reason}`, who: KIM.name });
    return [204];
  }
  if (noun === 'seat') {
    if (id === 'sip') return [200, { uri: 'sip:kim@cordboard.local', ws: `ws://127.0.0.1:${PORT}/sip`, ice_servers: [], renew_in: null }];
    if (id === 'check') return [202];
    if (method === 'PUT') setSeat({ state: body.state, reason: body.reason ?? null });
    return method === 'PUT' ? [204] : [200, state.seat];
  }
  if (key === 'GET board') {
    return user.role === 'supervisor' ? [200, { ...state.floor, calls: [...state.calls.values()], queue: queue() }] : [403, problem(403, 'auth.role', 'Your role does not allow this.')];
  }
  if (noun === 'calls' && rest[0] === 'listen') return listen(id, method === 'POST' ? body.mode : null);
  if (key === 'GET seats') return [200, page([state.seat, ...COLLEAGUES])];
  if (key === 'GET callbacks') return [200, { items: [...state.callbacks, ...state.abandoned.filter((a) => a.ring_back).map((a) => ({ ...a, number: a.caller, since: a.started_at }))] }];
  if (noun === 'jobs') {
    const call = [...state.calls.values()].find((c) => c.job?.attempt === id);
    if (rest[0] === 'outcome') update(call, { job: { ...call.job, outcome: body.kind } });
    return [204];
  }
  if (noun === 'calls') {
    if (!id && method === 'POST') return [201, { call: ring(PLUMBING) }];
    if (!id && query.get('abandoned')) {
      const kind = query.get('abandoned');
      return [200, page(state.abandoned.filter((a) => kind === 'any' || a.kind === kind))];
    }
    if (!id) return [200, page([...state.calls.values()])];
    if (rest[0] === 'seen_to') {
      state.abandoned = state.abandoned.filter((a) => a.call !== id);
      state.callbacks = state.callbacks.filter((c) => c.call !== id);
      return [204];
    }
    if (rest[0] === 'ring_back') {
      state.abandoned = state.abandoned.map((a) => (a.call === id ? ringing(a, method === 'POST') : a));
      state.callbacks = state.callbacks.map((c) => (c.call === id ? ringing(c, method === 'POST') : c));
      tell({ type: 'caller', call: id, seen_to: false });
      return [202];
    }
    const call = state.calls.get(id);
    const action = actions[rest.join('/')];
    if (!call && rest[0] === 'take') {
      state.waiting = state.waiting.filter((w) => w.call !== id);
      tell({ type: 'queue', queue: queue() });
      aside(null);
      ring(CLINIC);
      return [204];
    }
    if (rest[1] === 'peaks') return [200, peaks()];
    if (rest[0] === 'form') return [204];
    if (!call || !action) return [409, problem(409, 'call.not_now', 'That is not possible on this call now.')];
    action(call, body);
    return [204];
  }
  return [404, problem(404, 'not_found', 'There is nothing here.')];
}

function ringing(caller, wanted) {
  const tries = { made: caller.tries?.made ?? 0, most: 3, next_at: wanted ? Date.now() : null };
  return { ...caller, ring_back: wanted, tries };
}

/** Somebody who presses the first key of each node. */
function tryMenu(account, menu) {
  const trial = { user: user.id, account, menu: menu.name, state: 'ringing', trail: [], chosen: [], missed: 0, exit: null, says: null };
  const show = (more) => tell({ type: 'trial', trial: Object.assign(trial, more) });
  show({});
  let at = menu.start;
  const timer = setInterval(() => {
    const node = menu.nodes.find((n) => n.id === at);
    if (!node || node.step === 'exit') {
      clearInterval(timer);
      return show({ state: 'left', trail: [...trial.trail, at], exit: node?.flow ?? menu.otherwise, says: 'Here a caller goes to the operators, as Urgent, with priority 7.' });
    }
    show({ state: 'walking', trail: [...trial.trail, at], chosen: node.choices ? [...trial.chosen, { key: node.choices[0].digits, label: node.choices[0].label }] : trial.chosen });
    at = node.step === 'branch' ? node.otherwise : (node.next ?? node.choices[0].next);
  }, 150);
}

/** Somebody who speaks a greeting in, and keeps it. */
function dictate(account) {
  const view = { user: user.id, account, state: 'ringing', silent: 0, speech: null, millis: null };
  const states = ['ringing', 'listening', 'speaking', 'choosing', 'kept', 'over'];
  const timer = setInterval(() => {
    view.state = states.shift();
    if (view.state === 'kept') {
      Object.assign(view, { speech: { kind: 'uploaded', recording: `new${state.next++}` }, millis: 5_200 });
      state.recordings = [{ speech: view.speech, millis: view.millis, by: { id: user.id, name: user.name }, at: Date.now() }, ...state.recordings];
    }
    tell({ type: 'dictation', dictation: { ...view } });
    if (states.length === 0) clearInterval(timer);
  }, 700);
}

/** A talk of a minute and a half: by turns, now and then both. */
function peaks() {
  const at = (i, shift) => Math.max(0, Math.round(55 * Math.abs(Math.sin(i / 3 + shift)) * (Math.sin(i / 17 + shift * 3) > -0.1 ? 1 : 0.05)));
  const parts = [...Array(200).keys()];
  return { length_ms: 93_400, caller: parts.map((i) => at(i, 0)), ours: parts.map((i) => at(i, 1.1)) };
}

function auditRows(now, asked) {
  const kim = { kind: 'user', id: 'usr_kim', name: 'Kim Alvarez' };
  const sam = { kind: 'user', id: 'usr_sam', name: 'Sam Whitaker' };
  const ben = { kind: 'contact', id: 'con_ben', name: 'Ben Ortiz' };
  const message = state.messages.has(asked) ? asked : ([...state.messages.keys()][0] ?? 'msg_1');
  const rows = [
    [sam, 'audit.read', 'ses_0mdk3v9q8t7w2x4y6z8a1b2c3d'],
    [kim, 'message.read', message],
    [sam, 'message.read', message],
    [kim, 'message.listed', message],
    [sam, 'recording.heard', 'call_0mdk3v9q8t7w2x4y6z8a1b2c3d'],
    [sam, 'call.whispered', 'call_0mdk3v9q8t7w2x4y6z8a1b2c3e'],
    [ben, 'check_in.heard', message],
    [{ kind: 'nobody', id: 'nobody', name: null }, 'session.failed', 'usr_kim'],
    [{ kind: 'user', id: 'usr_gone', name: null }, 'account.changed', PLUMBING.id],
    [{ kind: 'command_line', id: 'command_line', name: null }, 'user.added', 'usr_kim'],
    [{ kind: 'house', id: 'house', name: null }, 'audit.cut', '37'],
  ];
  return rows.map(([who, act, object], n) => ({ number: 52 - n, at: now - n * 7_300_000, who, act, object }));
}

function editionsOf(message) {
  const all = [...(state.earlier.get(message.id) ?? []), message];
  return all.map((m, at) => ({
    edition: m.edition ?? 1,
    by: m.changed?.by ?? m.taken_by,
    at: m.changed?.at ?? m.taken_at,
    call_type: m.call_type,
    urgency: m.urgency,
    caller: m.caller,
    form: m.form,
    answers: m.answers,
    differences: at === 0 ? [] : m.form.fields.filter((f) => all[at - 1].answers[f.name] !== m.answers[f.name]).map((f) => ({ label: f.label, before: all[at - 1].answers[f.name] ?? null, after: m.answers[f.name] ?? null })),
  }));
}

function sheet() {
  const now = Date.now();
  const open = [...state.dispatches.values()].filter((d) => d.closed_at === null);
  const one = [...state.messages.values()][0];
  return {
    at: now,
    urgent: open.filter((d) => d.urgency === 'urgent'),
    unconfirmed: open.filter((d) => d.urgency !== 'urgent'),
    waiting: state.waiting,
    callbacks: [{ call: 'call_cb', account: ref(CLINIC), number: '+12025550177', since: now - 1_500_000, tries: 2 }],
    hung_up: state.abandoned.length,
    gaps: [{ account: ref(PLUMBING), role: 'technician', from: now + 5 * 3_600_000, until: now + 9 * 3_600_000 }],
    alarms: state.alarms,
    status: [{ account: ref(CLINIC), lines: state.status.filter((l) => l.account === CLINIC.id) }],
    lowered: one ? [{ ...one, graded: { how: 'lowered', trigger: 'leak', reason: 'A tap that drips; he wants an appointment' } }] : [],
  };
}

function listen(id, mode) {
  const call = state.calls.get(id);
  if (!call) return [409, problem(409, 'call.not_now', 'There is no such call.')];
  for (const other of state.calls.values()) {
    const others = other.listeners.filter((l) => l.user.id !== user.id);
    if (others.length < other.listeners.length && (other.id !== id || !mode)) update(other, { listeners: others, hears: withSupervisor(other.hears, null).slice(0, -1) });
  }
  const me = { user: { id: user.id, name: user.name }, mode, there: true, since: Date.now() };
  if (mode) update(state.calls.get(id), { listeners: [me], hears: withSupervisor(call.hears, mode) });
  return [204];
}

async function mock(path, query, body) {
  if (path === '/mock/invite') return [200, await invite(body.call, body.sdp, body.auto)];
  if (path === '/mock/phone') return [200, phoneState(query.get('call'))];
  if (path === '/mock/bye') bye(query.get('call'));
  if (path === '/mock/reset') {
    reset();
    tell(hello());
  } else if (path === '/mock/ring') ring(query.get('to') === 'clinic' ? CLINIC : PLUMBING, query.has('offered'));
  else if (path === '/mock/waiting') {
    // A caller in the queue whom nobody is free for.
    const id = ring(query.get('to') === 'clinic' ? CLINIC : PLUMBING, true);
    const call = update(state.calls.get(id), { state: 'queued', seat: null, offered_until: null });
    state.waiting = [{ call: id, account: call.account, since: Date.now() - 9_000, priority: 0 }];
    tell({ type: 'queue', queue: queue() });
  } else if (path === '/mock/job') {
    // A call that the clinic's dispatch wants an operator to make: offered, or (?at=) further on.
    const at = query.get('at') ?? 'offered';
    const id = ring(CLINIC, true);
    const job = {
      attempt: 'att_1', dispatch: 'dsp_3', message: 'msg_dsp_3', name: 'Dr Patel', label: 'mobile', headline: 'Central Lab · critical potassium result', urgency: 'urgent',
      leave_message: true, then_machine: true, due_at: Date.now() + 41_000, outcome: null, stood_down: query.has('down'),
    };
    const over = at === 'wrap_up' ? { cause: query.get('cause') ?? 'busy' } : null;
    const talks = at === 'talking' || at === 'ringing_back';
    update(state.calls.get(id), { job, caller: '+12025550160', forwarded_from: null, earlier: 0, chosen: [], state: at, offered_until: talks || over ? null : Date.now() + 20_000, taken: at === 'talking', ended: over, hears: hears(at) });
  } else if (path === '/mock/changed') {
    // Somebody else changes a message that is open here.
    const old = state.messages.get(query.get('message'));
    const edition = (old.edition ?? 1) + 1;
    state.messages.set(old.id, { ...old, edition, answers: { ...old.answers, message: 'Changed: it is the cellar, not the attic.' } });
    change(old.dispatch.id, { edition });
  } else if (path === '/mock/why') {
    const id = ring(PLUMBING, true);
    const tried = [
      { contact: 'con_ben', number: '+12025550162', outcome: 'failed', why: 'no_answer' },
      { contact: 'con_ana', number: '+12025550161', outcome: 'declined', why: null },
    ];
    const contacts = PLUMBING.contacts.map((c) => ({ id: c.id, name: c.name }));
    update(state.calls.get(id), { comes: { why: { kind: 'nobody_reached', tried }, contacts } });
  } else if (path === '/mock/rings_back') {
    const id = ring(CLINIC);
    const asked = ['dsp_3', 'dsp_2'].map((d) => state.dispatches.get(d));
    const dispatches = asked.map((d) => ({ dispatch: d.id, message: d.message, edition: d.edition, account: d.account, headline: d.headline, urgency: d.urgency }));
    change('dsp_3', { next: { at: Date.now() + 282_000, text: 'Paused while Dr Patel speaks with Kim Novak; goes on at 02:19:05 at the latest.' } });
    update(state.calls.get(id), { caller: '+12025550160', forwarded_from: null, earlier: 0, rings_back: { name: 'Dr Patel', dispatches } });
  } else if (path === '/mock/dialled') {
    const id = ring(PLUMBING);
    update(state.calls.get(id), { caller: '+12025550121', forwarded_from: null, earlier: 0, state: 'ringing_back', hears: [], dialled: { contact: { id: 'con_ben', name: 'Ben Ortiz' }, label: 'mobile' } });
  } else if (path === '/mock/parked') {
    const id = ring(query.get('to') === 'clinic' ? CLINIC : PLUMBING, true);
    parkAt(state.calls.get(id), Date.now() - Number(query.get('ago') ?? 20) * 1000, 'usr_max');
  } else if (path === '/mock/hangup') {
    const call = [...state.calls.values()].find((c) => c.state === query.get('state'));
    if (call) update(call, { state: call.state === 'parked' ? 'ended' : 'wrap_up', parked: null, hears: [], ended: { cause: 'hung_up' } });
  } else if (path === '/mock/calm') {
    for (const d of [...state.dispatches.values()]) if (d.needs_operator) change(d.id, { needs_operator: false, alarm: null });
  } else if (path === '/mock/floor') {
    state.floor = busyFloor(Date.now());
    for (const call of state.floor.calls) state.calls.set(call.id, call);
    tell(hello());
  } else if (path === '/mock/revoke') {
    state.revoked = true;
    for (const s of sockets) s.close(4401);
  } else if (path === '/mock/tell') {
    if (body.type === 'call') state.calls.set(body.call.id, body.call);
    tell(body);
  } else if (path === '/mock/calls') return [200, [...state.calls.values()]];
  else if (path === '/mock/drop-sockets') for (const s of sockets) s.terminate();
  return [204];
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  const chunks = [];
  request.on('data', (c) => chunks.push(c));
  request.on('end', async () => {
    if (!url.pathname.startsWith('/api/') && !url.pathname.startsWith('/mock/')) return file(url.pathname, response);
    const text = Buffer.concat(chunks).toString();
    const body = text ? JSON.parse(text) : {};
    const [status, json] = url.pathname.startsWith('/mock/')
      ? await mock(url.pathname, url.searchParams, body)
      : route(request.method, url.pathname, url.searchParams, body);
    response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json' });
    response.end(json === undefined ? undefined : JSON.stringify(json));
  });
});

function file(path, response) {
  const wanted = join(DIST, normalize(path));
  const found = extname(path) && existsSync(wanted) ? wanted : join(DIST, 'index.html');
  response.writeHead(200, { 'content-type': TYPES[extname(found)] ?? 'application/octet-stream', 'content-security-policy': CSP });
  createReadStream(found).pipe(response);
}

const feed = new WebSocketServer({ noServer: true, handleProtocols: () => 'cordboard.v1' });
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/sip') return upgrade(request, socket, head);
  if (request.url !== '/api/v1/events') return socket.destroy();
  feed.handleUpgrade(request, socket, head, (ws) => {
    ws.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'auth' && state.revoked) ws.close(4401);
      else if (frame.type === 'auth' && !sockets.has(ws)) {
        sockets.add(ws);
        ws.send(JSON.stringify(hello()));
      } else if (frame.type === 'ping') ws.send('{"type":"pong"}');
    });
    ws.on('close', () => sockets.delete(ws));
  });
});

server.listen(PORT, '127.0.0.1', () => console.log(`The stand-in listens on http://127.0.0.1:${PORT} (any name and password).`));
