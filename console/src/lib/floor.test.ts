import { describe, expect, it } from 'vitest';
import { alone, canListen, inTheHouse, listenerWords, listening, modeOf, onTheirWay, operatorIn, overWords, parked, seatRows, stageWords, whoHears, whoHearsMe } from './floor';
import { PageKeys } from './keys';
import type { CallView, HearsView, ListenMode, ListenerView, SeatState, SeatView } from './types';

function seat(name: string, state: SeatState = 'ready'): SeatView {
  return { user: { id: name.toLowerCase(), name }, state, reason: null, since: 0, calls: [] };
}

function call(id: string, more: Partial<CallView> = {}): CallView {
  return {
    id,
    account: { id: 'a', name: 'Plumbing', color: '#123456', zone: 'UTC' },
    account_brief: { answer_phrase: '', notes: '' },
    did: '+1',
    caller: null,
    forwarded_from: null,
    state: 'talking',
    seat: null,
    started_at: 1_000,
    state_since: 5_000,
    offered_until: null,
    patch: null,
    hears: [],
    ended: null,
    parked: null,
    colleague: null,
    taken: false,
    note: null,
    recording: { mode: 'off', state: 'off' },
    earlier: 0,
    listeners: [],
    chosen: [],
    call_type: null,
    ...more,
  };
}

const patch = (state: 'private' | 'dropped') => ({ state, contact: { id: 'b', name: 'Ben' }, number: '+1', since: 0 });
const me = (mode: ListenMode, there = true): ListenerView => ({ user: { id: 'sam', name: 'Sam' }, mode, there, since: 0 });

describe('the floor', () => {
  it('has seats with calls first, then who could take one, and none that nobody sits at', () => {
    const rows = seatRows(
      [seat('Ann', 'not_ready'), seat('Kim', 'talking'), seat('Bob'), seat('Ed', 'offline')],
      [call('1', { seat: 'kim' })],
    );
    expect(rows.map((r) => r.seat.user.name)).toEqual(['Kim', 'Bob', 'Ann']);
    expect(rows[0]!.calls.map((c) => c.id)).toEqual(['1']);
  });

  it('keeps a patch whose operator has left apart from her seat', () => {
    const left = call('1', { seat: 'kim', state: 'patched', patch: patch('dropped') });
    expect(alone([left, call('2')])).toEqual([left]);
    expect(seatRows([seat('Kim', 'wrap_up')], [left])[0]!.calls).toEqual([]);
  });

  it('keeps a caller whom a supervisor talks with there, and says so', () => {
    const kept = call('1', { seat: 'kim', state: 'patched', patch: null });
    expect(alone([kept])).toEqual([kept]);
    expect(stageWords(kept)).toBe('talks with a supervisor; the contact has hung up');
  });

  it('tells who listened why it is over', () => {
    const ended = (cause: string) => call('1', { state: 'ended', ended: { cause } as CallView['ended'] });
    const patched = call('1', { state: 'patched', patch: patch('dropped') });
    expect(overWords(patched, ended('hung_up'))).toBe('The call you listened to is over: the caller or the contact hung up.');
    expect(overWords(call('1'), ended('hung_up'))).toBe('The call you listened to is over: the caller hung up.');
  });

  it('says who hears whom in a patch', () => {
    const hears: HearsView[] = [
      { who: 'caller', hears: ['music'] },
      { who: 'operator', hears: ['contact', 'supervisor'] },
      { who: 'contact', hears: ['operator'] },
      { who: 'supervisor', hears: ['operator', 'contact'] },
    ];
    const announcing = call('1', { state: 'patching', patch: patch('private'), hears });
    expect(whoHears(announcing, 'Kim')).toBe('Kim and Ben hear each other. The caller hears music.');
    expect(stageWords(announcing)).toBe('announcing to Ben');
  });
});

describe('the keys of the floor', () => {
  it('listen from the first moment of the page on', () => {
    expect(modeOf(new PageKeys().read('l', 300))).toBe('monitor');
  });

  it('name a page after a g, and a call again a while later', () => {
    const keys = new PageKeys();
    expect(modeOf(keys.read('g', 5_000))).toBeNull();
    expect(modeOf(keys.read('b', 5_400))).toBeNull();
    expect(modeOf(keys.read('B', 7_000))).toBe('barge');
    expect(modeOf(keys.read('x', 7_000))).toBeNull();
  });
});

describe('who hears a supervisor', () => {
  const hears = (mode: ListenMode): HearsView[] => [
    { who: 'caller', hears: mode === 'barge' ? ['operator', 'supervisor'] : ['operator'] },
    { who: 'operator', hears: mode === 'monitor' ? ['caller'] : ['caller', 'supervisor'] },
    { who: 'supervisor', hears: ['caller', 'operator'] },
  ];
  const said = (mode: ListenMode) => whoHearsMe(call('1', { hears: hears(mode) }), me(mode), 'Kim');

  it('is said in every mode', () => {
    expect(said('monitor')).toBe('Nobody hears you.');
    expect(said('whisper')).toBe('Kim hears you, nobody else.');
    expect(said('barge')).toBe('The caller and Kim hear you.');
  });

  it('never takes another supervisor for oneself', () => {
    expect(whoHearsMe(call('1', { hears: hears('barge') }), me('monitor'), 'Kim')).toBe('Nobody hears you.');
    expect(whoHearsMe(call('1', { hears: hears('barge') }), me('whisper'), 'Kim')).toBe('Kim hears you, nobody else.');
  });

  it('is nobody, and said to be, where no operator is in the call to whisper to', () => {
    const alone: HearsView[] = [
      { who: 'caller', hears: ['contact'] },
      { who: 'contact', hears: ['caller'] },
      { who: 'supervisor', hears: ['caller', 'contact'] },
    ];
    const patched = call('1', { state: 'patched', seat: 'kim', patch: patch('dropped'), hears: alone });
    expect(whoHearsMe(patched, me('whisper'), 'Kim')).toBe('No operator is in the call: nobody hears you. Barge in to be heard.');
    expect(whoHearsMe(patched, me('monitor'), 'Kim')).toBe('Nobody hears you.');
    expect(operatorIn(patched)).toBe(false);
    expect(operatorIn(call('1', { hears: hears('whisper') }))).toBe(true);
  });

  it('is nobody while the telephone is being connected', () => {
    expect(whoHearsMe(call('1'), me('barge', false), 'Kim')).toBe('Your telephone is being connected.');
  });

  it('is told to the operator as well', () => {
    expect(listenerWords(me('whisper'))).toBe('Sam whispers: only you hear it.');
    const mine = call('2', { listeners: [me('barge')] });
    expect(listening([call('1'), mine], 'sam')?.call).toBe(mine);
    expect(listening([call('1')], 'sam')).toBeNull();
  });
});

it('shows every caller whom nobody has yet, the oldest first', () => {
  const calls = [call('c', { state: 'spilling', started_at: 3 }), call('b', { state: 'queued' }), call('a', { state: 'greeting', started_at: 1 }), call('d')];
  expect(onTheirWay(calls).map((c) => c.id)).toEqual(['a', 'c']);
});

it('shows parked callers, who are at nobody’s seat, the longest first', () => {
  const at = (since: number, slot: number | null = 1) => ({ slot, by: 'kim', since, remind_at: 0, return_at: 0 });
  const calls = [call('b', { state: 'parked', parked: at(9) }), call('a', { state: 'parked', parked: at(3, null) }), call('d')];
  expect(parked(calls).map((c) => c.id)).toEqual(['a', 'b']);
  expect(parked(calls).map(stageWords)).toEqual(['passed on, on the way to a colleague', 'parked at 1']);
});

it('lets a supervisor stay and come while the operator asks a colleague, and names the colleague who hears', () => {
  const hears: HearsView[] = [
    { who: 'caller', hears: ['music'] },
    { who: 'operator', hears: ['colleague', 'supervisor'] },
    { who: 'colleague', hears: ['operator', 'supervisor'] },
  ];
  const asking = call('1', { state: 'consulting', hears });
  expect(canListen(asking)).toBe(true);
  expect(whoHearsMe(asking, me('barge'), 'Kim')).toBe('Kim and the colleague hear you.');
});

describe('whom a shift leaves to the next', () => {
  it('is every caller somebody has or put somewhere, the longest there first, and no job and nobody in the queue', () => {
    const calls = [
      call('parked', { state: 'parked', started_at: 3_000 }),
      call('held', { state: 'held', started_at: 2_000 }),
      call('queued', { state: 'queued', started_at: 1_000 }),
      call('job', { started_at: 1_000, job: {} as CallView['job'] }),
      call('form', { state: 'wrap_up', started_at: 2_500 }),
    ];
    expect(inTheHouse(calls).map((one) => one.id)).toEqual(['held', 'form', 'parked']);
  });
});
