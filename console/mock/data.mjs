// Made-up accounts for looking at the console without the server. Names and numbers are fictional.

export const KIM = { id: 'usr_kim', login: 'kim', name: 'Kim Novak', role: 'operator' };

const ref = (a) => ({ id: a.id, name: a.name, color: a.color, zone: a.zone });

const text = (name, label, required = false) => ({ name, label, kind: { kind: 'text' }, required, brief: true });
const form = (fields) => ({ version: 1, fields });
const COMMON = [
  text('name', 'Name', true),
  { name: 'callback', label: 'Callback number', kind: { kind: 'phone' }, required: true, brief: true },
];

export const PLUMBING = {
  id: 'acc_plumbing',
  name: 'Imaginary Plumbing',
  zone: 'America/Chicago',
  color: '#1f6fb2',
  answer_phrase: 'Imaginary Plumbing, emergency line, how can I help?',
  notes:
    'Office hours 8 to 17, then this line.\nNever promise an arrival time: "a technician will ring you".\nGas smell: tell them to leave the house and ring 911 first.',
  faq: [
    { question: 'Do you work on Sundays?', answer: 'For emergencies, at any hour. Everything else from Monday, 8 in the morning.' },
    { question: 'What does a visit cost?', answer: 'From 90 dollars for the first half hour; 140 at night and on Sundays.' },
    { question: 'How do I shut the water off?', answer: 'The main valve is where the pipe comes in, mostly by the meter: turn it clockwise until it stops.' },
  ],
  dids: ['+12025550102'],
  undo_secs: 5,
  call_types: [
    {
      id: 'ct_urgent',
      name: 'Urgent',
      urgency: 'urgent',
      triggers: 'leak, no hot water, broken pipe',
      watched: [{ kind: 'words', words: 'leak' }, { kind: 'words', words: 'water is coming' }, { kind: 'answer', field: 'problem', is: 'Broken pipe' }],
      protocol: 'pro_urgent',
      form: form([
        ...COMMON,
        text('address', 'Address', true),
        { name: 'problem', label: 'Problem', kind: { kind: 'choice', options: ['Leak', 'No hot water', 'Broken pipe'] }, required: true, brief: true },
        { name: 'valve', label: 'Main valve shut', kind: { kind: 'yes_no' }, required: true, brief: true, shown_if: { field: 'problem', is: ['Leak', 'Broken pipe'] } },
        { name: 'message', label: 'Message', kind: { kind: 'long_text' }, required: false, brief: true },
        { name: 'rooms', label: 'Rooms', kind: { kind: 'several', options: ['Kitchen', 'Bath', 'Cellar'] }, brief: false },
        { name: 'card', label: 'Card number', kind: { kind: 'text' }, sensitive: 'not_kept', brief: false },
      ]),
    },
    {
      id: 'ct_routine',
      name: 'Routine',
      urgency: 'routine',
      triggers: 'appointments, quotes, invoices',
      protocol: 'pro_routine',
      form: form([...COMMON, { name: 'message', label: 'Message', kind: { kind: 'long_text' }, required: true, brief: true }]),
    },
    { id: 'ct_not', name: 'Not legitimate', urgency: 'not_legitimate', triggers: '', protocol: null, form: form([text('name', 'Who it was')]) },
  ],
  contacts: [
    {
      id: 'con_ana',
      name: 'Ana Ruiz',
      title: 'office',
      destinations: [{ id: 'dst_ana', label: 'mobile', reach: { kind: 'phone', address: '+12025550161' }, ring_secs: 30, blocked: false }],
    },
    {
      id: 'con_ben',
      name: 'Ben Ortiz',
      title: 'technician',
      destinations: [
        { id: 'dst_ben_m', label: 'mobile', reach: { kind: 'phone', address: '+12025550162' }, ring_secs: 30, blocked: false },
        { id: 'dst_ben_h', label: 'home', reach: { kind: 'phone', address: '+12025550163' }, ring_secs: 30, blocked: false },
      ],
    },
  ],
  protocols: [
    {
      id: 'pro_urgent',
      name: 'Urgent',
      version: 3,
      text: [
        '1. Text the on-call technician, asking for a reply of "1ok". Wait 15 minutes.',
        '2. Call the on-call technician’s mobile; if no answer, leave a callback request. Wait 10 minutes.',
        '3. Call the on-call technician’s home. Do not wait.',
        'Again from step 1 until a person confirms.',
      ],
    },
    { id: 'pro_routine', name: 'Routine', version: 1, text: ['1. Email info@ at once.'] },
  ],
  on_call: [
    { role: 'technician', contact: { id: 'con_ben', name: 'Ben Ortiz', title: 'technician' }, until: 0, why: 'rotation B; override by the office, 17:02' },
  ],
};

export const CLINIC = {
  ...PLUMBING,
  id: 'acc_clinic',
  name: 'Made-up Medical Clinic',
  zone: 'America/New_York',
  color: '#b4532a',
  answer_phrase: 'Made-up Medical, the doctors’ answering service. Is this an emergency?',
  dids: ['+12025550104'],
  notes: 'Life-threatening: tell them to hang up and dial 911.',
  contacts: [
    {
      id: 'con_patel',
      name: 'Dr Patel',
      title: 'doctor',
      destinations: [{ id: 'dst_patel', label: 'mobile', reach: { kind: 'phone', address: '+12025550171' }, ring_secs: 30, blocked: false }],
    },
  ],
  on_call: [{ role: 'doctor', contact: { id: 'con_patel', name: 'Dr Patel', title: 'doctor' }, until: 0, why: 'rotation' }],
};

export const PROPERTY = { ...PLUMBING, id: 'acc_property', name: 'Pretend Property', zone: 'America/New_York', color: '#3f7d3a', dids: ['+12025550103'] };
export const ACCOUNTS = [PLUMBING, CLINIC, PROPERTY];

/** What only those who set accounts up see of one. */
const says = (text) => ({ kind: 'spoken', text });
const exit = (id, flow) => ({ id, step: 'exit', flow });
const QUEUE = { kind: 'queue', priority: null, call_type: null };

/** Hours and menus: a night with a menu, an hour of it for lunch, a holiday, and a storm. */
export function ways(account) {
  const urgent = account.call_types[0].id;
  const later = { kind: 'voicemail', speech: says('Please speak after the tone.'), call_type: account.call_types[1].id, max_secs: 120, silence_secs: 6 };
  const workdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];
  const window = (name, days, from, until, flow) => ({ name, days, from, until, greeting: null, flow });
  const now = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  return {
    hours: {
      usual: QUEUE,
      windows: [
        window('office hours', workdays, '08:00', '17:00', { kind: 'spill', number: '+12025550160', ring_secs: 20, failed: 'queue' }),
        window('lunch', workdays, '12:00', '13:00', QUEUE),
        window('night', workdays, '17:00', '08:00', { kind: 'menu', menu: 'night' }),
      ],
      holidays: [{ name: 'Christmas', date: '12-25', span: null, greeting: says('Merry Christmas.'), flow: { kind: 'announcement', speech: says('We are closed today.') } }],
      overrides: [{ from: now + 86_400_000, until: now + 2 * 86_400_000, reason: 'storm, office closed', made_at: now, greeting: null, flow: { ...QUEUE, priority: 5 } }],
    },
    menus: [
      {
        name: 'night',
        start: 'known',
        nodes: [
          { id: 'known', step: 'branch', on: { is: 'caller', numbers: ['+12025550187'] }, then: 'emergency', otherwise: 'ask' },
          {
            id: 'ask',
            step: 'gather',
            speech: says('For a leak or no heat, press 1. For our hours, press 2. To leave a message, press 3.'),
            choices: [
              { digits: '1', label: 'emergency', next: 'emergency' },
              { digits: '2', label: 'hours', next: 'hours' },
              { digits: '3', label: 'message', next: 'message' },
            ],
            timeout_secs: 6,
            retries: 1,
            barge_in: true,
            invalid: says('That is no choice.'),
            silent: null,
            gave_up: null,
          },
          { id: 'hours', step: 'play', speech: says('We open at eight.'), next: 'ask', barge_in: true },
          exit('emergency', { kind: 'queue', priority: 7, call_type: urgent }),
          exit('message', later),
        ],
        otherwise: QUEUE,
      },
    ],
  };
}

/** What the server would say of hours and menus. The stand-in knows few faults. */
export function checkWays(body) {
  const errors = [];
  const fault = (pointer, code, detail, cure) => errors.push({ pointer, code, detail, cure });
  body.menus.forEach((menu, m) => {
    const ids = menu.nodes.map((n) => n.id);
    menu.nodes.forEach((node, n) => {
      for (const [at, next] of (node.choices ?? []).map((c, k) => [`/choices/${k}/next`, c.next])) {
        if (!ids.includes(next)) fault(`/menus/${m}/nodes/${n}${at}`, 'flow.dead_end', `A dead end: there is no node "${next}".`, 'Name one that there is, or add it.');
      }
      if (node.speech?.kind === 'spoken' && !node.speech.text.trim()) fault(`/menus/${m}/nodes/${n}/speech`, 'flow.prompt_missing', 'There is nothing to hear.', 'Write the words, or name a recording.');
    });
  });
  const night = body.hours.windows[2];
  return { errors, now: { at: Date.now(), why: night ? `window ${night.name}` : 'usual', window: night?.name ?? null, flow: night?.flow ?? body.hours.usual, until: Date.now() + 3 * 3_600_000 } };
}

export function whole(account) {
  return {
    edition: 1,
    caller_id: account.dids[0],
    greeting: { kind: 'spoken', text: `Thank you for calling ${account.name}. Please hold for an operator.` },
    apology: { kind: 'recorded', prompt: 'apology' },
    comfort: { every_secs: 30, speech: { kind: 'recorded', prompt: 'comfort' }, further: [{ kind: 'spoken', text: 'Thank you for your patience. Your call is important to us.' }], position: false },
    priority: 0,
    ring_secs: 20,
    max_wait_secs: 180,
    leave_message: 'callback_request',
    recording: { mode: 'off', announcement: { kind: 'spoken', text: 'This call may be recorded.' }, tell_contact: true, voicemail_mail: 'attached' },
    patching: { max_secs: null },
    secure: { days: 7, accept_first: false },
    mail: { subject: '', text: '', html: '' },
    queueing: { skills: ['spanish'], skill_wait_secs: 30, wrap_up_secs: 45, when_overdue: 'callback', callback_after_secs: 60, abandoned_alarm: true, music: [{ kind: 'uploaded', recording: '8c1f0f6b' }, { kind: 'uploaded', recording: '' }] },
    ...ways(account),
    schedules: account.on_call.map((o) => ({ role: o.role })),
    ...account,
  };
}

const STEPS = [
  { method: { kind: 'text_confirm' }, to: [{ kind: 'on_call', role: 'technician', destination: 'mobile' }], wait_secs: 900 },
  { method: { kind: 'call_out', leave_message: true }, to: [{ kind: 'on_call', role: 'technician', destination: 'mobile' }], wait_secs: 600 },
];
/** The versions with whose they are. */
export const madeVersions = (account) =>
  versions(account).map(({ id, name, version, text }) => ({
    id, name, version, text, made_at: Date.now() - 86_400_000, made_by: { id: KIM.id, name: KIM.name }, brings_back: null, changes: null,
    in_force: account.call_types.filter((t) => t.protocol === id).map((t) => t.id), running: [],
  }));

/** What would happen, as far as a stand-in can tell: each step at its time. */
export function simulated({ protocol, at }) {
  let secs = 0;
  const lines = protocol.steps.map((step, n) => {
    const line = { at: Date.now() + secs * 1_000, local: `${at.slice(0, 10)} ${at.slice(11)}:00`, after_secs: secs, kind: 'step', text: `Step ${n + 1}.`, who: null, step: n + 1, round: 1, why: [] };
    secs += step.wait_secs;
    return line;
  });
  return { outlook: { lines, state: 'running', needs_operator: false, next: null }, errors: [], confirmable: protocol.steps.map((_, n) => n + 1) };
}

export const versions = (account) =>
  account.protocols.map((p) => ({ ...p, steps: STEPS, repeat: { from_step: 1 }, until: 'confirmed' }));

export const USERS = [
  { id: 'usr_ada', login: 'ada', name: 'Ada Winter', role: 'admin', disabled: false },
  { id: 'usr_kim', login: 'kim', name: 'Kim Novak', role: 'operator', disabled: false },
  { id: 'usr_lee', login: 'lee', name: 'Lee Sato', role: 'operator', disabled: true },
];

const MIN = 60_000;

/** A dispatch as it stands `now`. */
export function dispatch(id, account, now, more) {
  return {
    id,
    message: `msg_${id}`,
    reference: String(100_000 + [...id].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 900_000, 7)),
    edition: 1,
    account: ref(account),
    state: 'running',
    urgency: 'urgent',
    needs_operator: false,
    alarm: null,
    opened_at: now,
    patches: [],
    held_since: null,
    closed_at: null,
    undo_until: null,
    headline: '',
    last: null,
    next: null,
    confirmed_by: null,
    timeline: [],
    ...more,
  };
}

/** One that waits for the client to check in. */
function held(id, account, now, ago) {
  const since = now - ago;
  return dispatch(id, account, now, {
    state: 'held_for_check_in',
    urgency: 'routine',
    opened_at: since,
    held_since: since,
    last: { at: since, kind: 'step', text: 'Step 1: hold until the client checks in.' },
    next: { at: since, text: 'Held for check-in.' },
    timeline: [{ at: since, kind: 'step', text: 'Step 1: hold until the client checks in.' }],
  });
}

export function startDispatches(now) {
  return [
    dispatch('dsp_1', PROPERTY, now, {
      opened_at: now - 41 * MIN,
      headline: 'Rosa Lind · No heat, two small children',
      needs_operator: true,
      alarm: 'Nobody has confirmed after round 1. Ring someone at Pretend Property.',
      alarm_at: now - 3 * MIN,
      last: { at: now - 2 * MIN, text: 'Called Richard Roe: no answer. Callback request left on voicemail.' },
      next: { at: now + 8 * MIN, text: 'Call John Doe again (round 2).' },
      timeline: [
        { at: now - 41 * MIN, kind: 'opened', text: 'Dispatch opened.', who: 'Kim Novak' },
        { at: now - 41 * MIN + 2000, kind: 'attempt', text: 'Calling John Doe, mobile.' },
        { at: now - 40 * MIN, kind: 'failed', text: 'John Doe did not answer in 30 s. Callback request left on voicemail.' },
        { at: now - 3 * MIN, kind: 'alarm', text: 'Nobody has confirmed after round 1.' },
      ],
    }),
    dispatch('dsp_2', PLUMBING, now, {
      opened_at: now - 9 * MIN,
      headline: 'Tom Berg · Broken pipe',
      last: { at: now - 9 * MIN, text: 'Text sent to Ben Ortiz, accepted by the carrier.' },
      next: { at: now + 5.4 * MIN, text: 'If no reply, call his mobile.' },
      next_brief: 'call Ben Ortiz (mobile)',
      timeline: [
        { at: now - 9 * MIN, kind: 'opened', text: 'Dispatch opened.', who: 'Kim Novak' },
        { at: now - 9 * MIN + 1000, kind: 'accepted', text: 'Text with code 1 sent to Ben Ortiz, accepted by the carrier.' },
        { at: now - 9 * MIN + 4000, kind: 'delivered', text: 'Text delivered to the device.' },
      ],
    }),
    dispatch('dsp_3', CLINIC, now, {
      opened_at: now - 3 * MIN,
      headline: 'Central Lab · critical potassium result',
      last: { at: now - 2 * MIN, text: 'Calling Dr Patel, mobile: ringing.' },
      next: { at: now + 0.6 * MIN, text: 'If no answer, leave a callback request.' },
    }),
    dispatch('dsp_4', PLUMBING, now, {
      urgency: 'routine',
      opened_at: now - 120 * MIN,
      headline: 'Joe Marsh · quote for a boiler',
      state: 'delivered',
      closed_at: now - 119 * MIN,
      last: { at: now - 119 * MIN, text: 'Email accepted by the mail server.' },
    }),
    held('dsp_5', PLUMBING, now, 190 * MIN),
    held('dsp_6', PLUMBING, now, 55 * MIN),
  ];
}

/** The messages behind the dispatches. */
export function messageOf(d, now) {
  const account = ACCOUNTS.find((a) => a.id === d.account.id);
  const type = account.call_types[d.urgency === 'urgent' ? 0 : 1];
  const [name, problem] = d.headline.split(' · ');
  return {
    id: d.message,
    account: d.account,
    call_type: { id: type.id, name: type.name },
    call: null,
    caller: '+12025550199',
    urgency: d.urgency,
    taken_by: { id: KIM.id, name: KIM.name },
    taken_at: d.opened_at - 5000 || now,
    form: type.form,
    answers: { name, callback: '+12025550199', address: '12 Nowhere Lane', problem, message: problem },
    dispatch: d,
  };
}

export { ref };

/** Callers who hung up too early, one of each kind. */
export function startAbandoned(now) {
  const one = (call, account, kind, ago, waited, caller, more = {}) => ({
    call,
    account: ref(account),
    did: '+12025550102',
    caller,
    kind,
    started_at: now - ago - waited,
    ended_at: now - ago,
    operator: null,
    ring_back: false,
    tries: null,
    draft: null,
    ...more,
  });
  const operator = { id: 'usr_lee', name: 'Lee Sandoval' };
  const answers = { name: 'Anna Lindqvist', callback: '+12025550187', message: 'Water through the kitchen ceiling' };
  return [
    one('call_a1', PLUMBING, 'queue', 90_000, 74_000, '+12025550150', { calls_today: 3, earlier: 1 }),
    one('call_a2', CLINIC, 'hold', 400_000, 190_000, '+12025550151', { operator }),
    one('call_a3', PLUMBING, 'form', 900_000, 140_000, '+12025550187', { operator, draft: { id: 'drf_a3', owner: operator, call_type: null, answers }, calls_today: 1, earlier: 4 }),
    one('call_a4', CLINIC, 'greeting', 4_000_000, 6_000, null),
    one('call_a5', CLINIC, 'hold', 500_000, 40_000, '+12025550152', { operator, ring_back: true, tries: { made: 1, most: 3, next_at: now + 170_000 } }),
    one('call_a6', PLUMBING, 'cut_off', 700_000, 65_000, '+12025550153'),
    one('call_a7', PLUMBING, 'queue', 2_700_000, 31_000, '+12025550154', { tries: { made: 3, most: 3, next_at: null } }),
  ];
}

/** Who asked to be called back: one between two tries, one who was not reached. */
export function startCallbacks(now) {
  const one = (call, account, number, ago, made, next_at) => ({ call, account: ref(account), number, since: now - ago, tries: { made, most: 3, next_at }, draft: null, calls_today: made, earlier: 2 });
  return [
    one('call_b1', PLUMBING, '+12025550155', 700_000, 2, now + 95_000),
    one('call_b2', CLINIC, '+12025550156', 2_400_000, 3, null),
  ];
}
