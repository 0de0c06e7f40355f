import { describe, expect, it } from 'vitest';
import { chainWords, messageOf, seenTo, troubleWords } from './alarms';
import { EMPTY, reduce } from './reduce';
import { clock } from './time';
import type { AlarmChain, AlarmView, DispatchView } from './types';

const AT = 1_772_871_000_000;

const line = (n: number, text: string, who = 'Pat') => ({ at: AT + n * 60_000, kind: 'attempt', text, who });

const chain = (more: Partial<AlarmChain> = {}): AlarmChain => ({
  begun_at: AT,
  waits: ['dispatch:dsp_1'],
  acknowledged: [],
  told: [],
  by: null,
  next: null,
  ...more,
});

it('leads from an alarm to its message, if the board knows it', () => {
  const board = [{ id: 'dsp_1', message: 'msg_1' }, { id: 'dsp_2', message: 'msg_2' }] as DispatchView[];
  const alarm = (dispatch: string | null): AlarmView => ({ id: 'text:twilio:SM1', level: 'warning', text: 'Ben sent a text.', at: AT, dispatch, dismissible: true });
  expect(messageOf(alarm('dsp_2'), board)).toBe('msg_2');
  expect(messageOf(alarm('dsp_3'), board)).toBeNull();
  expect(messageOf(alarm(null), board)).toBeNull();
  // What was written from an inbox names it: its dispatch is over, and on no board.
  expect(messageOf({ ...alarm('dsp_3'), message: 'msg_3' }, board)).toBe('msg_3');
});

it('says whose message it is that needs an operator, as two of one account look alike', () => {
  const alarm = 'The steps have run out and nobody has confirmed.';
  expect(troubleWords({ headline: 'Jane Roe · burst pipe', alarm })).toBe(`Jane Roe: ${alarm}`);
  expect(troubleWords({ headline: 'Jane Roe', alarm: null })).toBe('Jane Roe: needs an operator');
  // Of what is held for the client the feed says no name.
  expect(troubleWords({ headline: '', alarm })).toBe(alarm);
});

describe('the alarm chain', () => {
  it('says how many alarms wait for somebody, and who was told', () => {
    const told = [1, 2, 3, 4].map((n) => line(n, `Step ${n}.`));
    const words = chainWords(chain({ told, waits: ['a', 'b'] }));
    expect(words.waits).toBe(true);
    expect(words.head).toBe('2 alarms, and nobody has acknowledged.');
    expect(words.told).toEqual([2, 3, 4].map((n) => `${clock(AT + n * 60_000)} Step ${n}.`));
    expect(chainWords(chain()).head).toMatch(/^1 alarm,/);
  });

  it('says who sees to it, once somebody does', () => {
    const seen = chain({ waits: [], acknowledged: ['dispatch:dsp_1'], by: line(5, 'Pat acknowledged the alarm by text.') });
    expect(chainWords(seen)).toMatchObject({ waits: false, head: `${clock(AT + 300_000)} Pat acknowledged the alarm by text.` });
    expect(seenTo(seen, 'dispatch:dsp_1')).toBe('Pat sees to it');
    expect(seenTo(seen, 'dispatch:dsp_2')).toBeNull();
    expect(seenTo(null, 'dispatch:dsp_1')).toBeNull();
  });

  it('comes over the feed as a whole and goes with the last alarm', () => {
    const state = reduce(EMPTY, { type: 'alarm_chain', chain: chain() });
    expect(state.alarmChain?.waits).toEqual(['dispatch:dsp_1']);
    expect(reduce(state, { type: 'alarm_chain', chain: null }).alarmChain).toBeNull();
  });
});
