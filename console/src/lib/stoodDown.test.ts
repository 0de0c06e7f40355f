import { describe, expect, it } from 'vitest';
import { stoodDown } from './stoodDown';
import type { DispatchView, Line } from './types';

const line = (kind: string, text: string, who?: string): Line => ({ at: 1, kind, text, who: who ?? null }) as Line;
const dispatch = (more: Partial<DispatchView>) =>
  ({ state: 'running', closed_at: null, confirmed_by: null, timeline: [line('step', 'Step 1: call Ben (mobile).')], ...more }) as DispatchView;

describe('what an operator is told whose call is wanted no more as it was', () => {
  it('never says handled where a colleague only went on to the next step', () => {
    const skipped = [line('step', 'Step 1: call Ben (mobile).'), line('operator', 'Lee Moss went on to the next step.', 'Lee Moss'), line('step', 'Step 2: call Ben (home).')];
    expect(stoodDown(dispatch({ timeline: skipped }), 1)).toEqual({
      over: false,
      text: 'Lee Moss skipped this step: the message still needs somebody. What came of this call?',
    });
    const exhausted = stoodDown(dispatch({ state: 'exhausted_unconfirmed', timeline: skipped }), 1);
    expect(exhausted.over).toBe(false);
  });

  it('says that the message is another now where that came last', () => {
    const changed = [line('operator', 'Lee Moss went on to the next step.', 'Lee Moss'), line('changed', 'Changed by Lee Moss: it goes out again from the first step.')];
    expect(stoodDown(dispatch({ timeline: changed }), 1)).toEqual({ over: false, text: 'The message was changed meanwhile and still needs somebody. What came of this call?' });
    expect(stoodDown(dispatch({}), 1).text).toBe('The dispatch has gone on meanwhile: the message still needs somebody. What came of this call?');
  });

  it('never gives what was done before her call as the reason', () => {
    const before = [line('changed', 'Changed by Lee Moss: it goes out again from the first step.'), line('operator', 'Lee Moss went on to the next step.', 'Lee Moss')];
    expect(stoodDown(dispatch({ timeline: before }), 2).text).toBe('The dispatch has gone on meanwhile: the message still needs somebody. What came of this call?');
  });

  it('says who has it, or who closed it and why', () => {
    expect(stoodDown(dispatch({ state: 'confirmed', closed_at: 9, confirmed_by: 'Ben Ortiz' }), 1)).toEqual({
      over: true,
      text: 'Handled meanwhile: confirmed by Ben Ortiz. Say so. What came of this call?',
    });
    const closed = [line('closed', 'Closed by Lee Moss: the caller rang again.', 'Lee Moss'), line('closed', 'Ben Ortiz will be told that it is closed.')];
    expect(stoodDown(dispatch({ state: 'closed_by_operator', closed_at: 9, timeline: closed }), 1).text).toBe(
      'Meanwhile closed by Lee Moss: the caller rang again. Say so. What came of this call?',
    );
    expect(stoodDown(undefined, 1).over).toBe(true);
  });
});
