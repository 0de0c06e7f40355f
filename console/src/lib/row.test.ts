import { describe, expect, it } from 'vitest';
import { lastSaid, nextSaid, referenceWords, sinceWords, standsWords, theirsWords } from './row';
import { clock } from './time';
import type { DispatchView } from './types';

const MIN = 60_000;
const dispatch = (more: Partial<DispatchView> = {}) =>
  ({
    state: 'running', alarm: null, alarm_at: null, closed_at: null, confirmed_by: null, undo_until: null,
    last: { at: 4 * MIN, text: 'Call to Rosa (mobile): no answer.' }, ...more,
  }) as DispatchView;

describe('what a row says', () => {
  it('has the age of what was done last', () => {
    expect(lastSaid(dispatch(), 9 * MIN)).toEqual({ text: 'Call to Rosa (mobile): no answer.', at: 4 * MIN, alarm: false });
  });

  it('has the age of the alarm where it says the alarm, whatever was done since', () => {
    const alarm = 'The steps have run out and nobody has confirmed.';
    const troubled = dispatch({ alarm, alarm_at: 5 * MIN, last: { at: 9 * MIN, text: 'Kim acknowledged the alarm at a desk.' } });
    expect(lastSaid(troubled, 10 * MIN)).toEqual({ text: alarm, at: 5 * MIN, alarm: true });
    expect(sinceWords(troubled, 10 * MIN)).toBe('Since when it needs a person. Done last, 1 min ago: Kim acknowledged the alarm at a desk.');
    expect(sinceWords(dispatch({ alarm, alarm_at: 5 * MIN, last: { at: 5 * MIN, text: alarm } }), 10 * MIN)).toBe('Since when it needs a person');
  });

  it('shows no age of something else beside an alarm of unknown age', () => {
    expect(lastSaid(dispatch({ alarm: 'No trunk takes the call.', alarm_at: null }), 9 * MIN).at).toBeNull();
  });

  it('says of what was closed by hand by whom and why, and not what was done before', () => {
    const ended = { at: 7 * MIN, text: 'Closed by Kim Arden: the caller rang again.' };
    expect(lastSaid(dispatch({ state: 'closed_by_operator', closed_at: 7 * MIN, ended }), 9 * MIN)).toEqual({ text: ended.text, at: 7 * MIN, alarm: false });
    expect(lastSaid(dispatch({ ended }), 9 * MIN).text, 'opened again since').toBe('Call to Rosa (mobile): no answer.');
  });

  it('has the time of the end of what is over, and none of what can still be taken back', () => {
    const over = dispatch({ state: 'confirmed', closed_at: 7 * MIN, confirmed_by: 'Ben', alarm: null });
    expect(lastSaid(over, 9 * MIN)).toEqual({ text: `Confirmed by Ben ${clock(7 * MIN)}.`, at: 7 * MIN, alarm: false });
    expect(lastSaid(dispatch({ undo_until: 10_000 }), 5_000)).toEqual({ text: 'Opens in 0:05; it can still be taken back.', at: null, alarm: false });
    expect(lastSaid(dispatch({ state: 'held_for_recap', last: null }), 0).text).toBe('held for recap');
  });
});

it('has what ended it as its headline, and not the text that told somebody so', () => {
  const ended = { at: 7 * MIN, text: 'Closed by Kim Arden: the caller rang again.' };
  const last = { at: 8 * MIN, text: "Text delivered to Maya's device." };
  expect(standsWords(dispatch({ state: 'closed_by_operator', closed_at: 7 * MIN, ended, last }))).toBe(ended.text);
  expect(standsWords(dispatch({ ended, last })), 'open again').toBe(last.text);
  expect(standsWords(dispatch({ state: 'held_for_recap', last: null }))).toBe('held for recap');
});

it('says whose a dispatch is where nothing can be done to it', () => {
  expect(theirsWords('Lee Moss')).toBe('Lee Moss works on it: ask them, or take it over first');
});

describe('what comes next', () => {
  const account = { zone: Intl.DateTimeFormat().resolvedOptions().timeZone } as DispatchView['account'];
  const next = { at: 141_000, text: 'If no reply by 20:43:10 EST: call Rosa Alvarez (mobile).' };

  it('begins with whom and how, and the whole sentence is there for whoever asks', () => {
    const said = nextSaid({ next, next_brief: 'call Rosa Alvarez (mobile)', account }, 0);
    expect(said).toEqual({ left: 'in 2:21', text: 'call Rosa Alvarez (mobile)', whole: next.text });
    expect(nextSaid({ next, next_brief: 'call Rosa Alvarez (mobile)', account }, 200_000)?.left).toBe('due');
  });

  it('is the sentence where there is nothing shorter', () => {
    const calling = { at: 0, text: 'Calling Rosa Alvarez now.' };
    expect(nextSaid({ next: calling, next_brief: null, account }, 5)).toEqual({ left: '', text: calling.text, whole: calling.text });
    expect(nextSaid({ next, account }, 0)?.text).toBe(next.text);
    expect(nextSaid({ next: null, account }, 0)).toBeNull();
  });
});

describe('the reference', () => {
  it('was left only where it was left', () => {
    expect(referenceWords({ reference_left: true })).toBe('Reference left with a request to call back:');
    expect(referenceWords({ reference_left: false })).toBe('Reference:');
    expect(referenceWords({})).toBe('Reference:');
  });
});
