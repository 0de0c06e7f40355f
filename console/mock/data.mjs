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
export function whole(account) {
  return {
    edition: 1,
    caller_id: account.dids[0],
    greeting: { kind: 'spoken', text: `Thank you for calling ${account.name}. Please hold for an operator.` },
    apology: { kind: 'recorded', prompt: 'apology' },
    comfort: { every_secs: 30, speech: { kind: 'recorded', prompt: 'comfort' } },
    priority: 0,
    ring_secs: 20,
    max_wait_secs: 180,
    leave_message: 'callback_request',
    recording: { mode: 'off', announcement: { kind: 'spoken', text: 'This call may be recorded.' }, tell_contact: true },
    schedules: account.on_call.map((o) => ({ role: o.role })),
    ...account,
  };
}

const STEPS = [
  { method: { kind: 'text_confirm' }, to: [{ kind: 'on_call', role: 'technician', destination: 'mobile' }], wait_secs: 900 },
  { method: { kind: 'call_out', leave_message: true }, to: [{ kind: 'on_call', role: 'technician', destination: 'mobile' }], wait_secs: 600 },
];
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
    account: ref(account),
    state: 'running',
    urgency: 'urgent',
    needs_operator: false,
    alarm: null,
    opened_at: now,
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

export function startDispatches(now) {
  return [
    dispatch('dsp_1', PROPERTY, now, {
      opened_at: now - 41 * MIN,
      headline: 'Rosa Lind · No heat, two small children',
      needs_operator: true,
      alarm: 'Nobody has confirmed after round 1. Ring someone at Pretend Property.',
      last: { at: now - 2 * MIN, text: 'Called Richard Roe: no answer. Callback request left on voicemail.' },
      next: { at: now + 8 * MIN, text: 'Call John Doe again (round 2).' },
      timeline: [
        { at: now - 41 * MIN, kind: 'opened', text: 'Dispatch opened.', who: 'Kim Novak' },
        { at: now - 41 * MIN + 2000, kind: 'attempt', text: 'Calling John Doe, mobile.' },
        { at: now - 40 * MIN, kind: 'failed', text: 'John Doe did not answer in 30 s. Callback request left on voicemail.' },
        { at: now - 2 * MIN, kind: 'alarm', text: 'Nobody has confirmed after round 1.' },
      ],
    }),
    dispatch('dsp_2', PLUMBING, now, {
      opened_at: now - 9 * MIN,
      headline: 'Tom Berg · Broken pipe',
      last: { at: now - 9 * MIN, text: 'Text sent to Ben Ortiz, accepted by the carrier.' },
      next: { at: now + 5.4 * MIN, text: 'If no reply, call his mobile.' },
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
    draft: null,
    ...more,
  });
  const operator = { id: 'usr_lee', name: 'Lee Sandoval' };
  const answers = { name: 'Anna Lindqvist', callback: '+12025550187', message: 'Water through the kitchen ceiling' };
  return [
    one('call_a1', PLUMBING, 'queue', 90_000, 74_000, '+12025550150'),
    one('call_a2', CLINIC, 'hold', 400_000, 190_000, '+12025550151', { operator }),
    one('call_a3', PLUMBING, 'form', 900_000, 140_000, '+12025550187', { operator, draft: { id: 'drf_a3', owner: operator, call_type: null, answers } }),
    one('call_a4', CLINIC, 'greeting', 4_000_000, 6_000, null),
  ];
}
