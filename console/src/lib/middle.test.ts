import { describe, expect, it } from 'vitest';
import { callMeant, hangUpMeant, pickMiddle, type Middle } from './middle';
import type { CallView } from './types';

const call = (id: string, state: CallView['state']) => ({ id, state }) as CallView;
const none = () => undefined;
const after = (now: Middle, ...mine: CallView[]) => pickMiddle(now, mine, (id) => id === 'form', none);

describe('the middle of the desk', () => {
  it('goes to the call that a key took as soon as it is here, and to no other on the way', () => {
    // Whom she talked with goes on hold first, then the new caller rings, then they talk.
    let now: Middle = { selected: 'a', wanted: 'b' };
    now = after(now, call('a', 'held'));
    expect(now).toEqual({ selected: 'a', wanted: 'b' });
    now = after(now, call('a', 'held'), call('b', 'offered'));
    expect(now).toEqual({ selected: 'b', wanted: null });
    now = after(now, call('a', 'held'), call('b', 'talking'));
    expect(now).toEqual({ selected: 'b', wanted: null });
  });

  it('stays where she looks when another call moves', () => {
    expect(after({ selected: 'a', wanted: null }, call('a', 'held'), call('b', 'talking')).selected).toBe('a');
    expect(after({ selected: 'form', wanted: null }, call('b', 'talking')).selected).toBe('form');
  });

  it('goes to whom she speaks with, then to a wrap-up, then to who is on hold, when what stood there has gone', () => {
    const gone: Middle = { selected: 'gone', wanted: null };
    expect(after(gone, call('a', 'held'), call('b', 'wrap_up'), call('c', 'conference')).selected).toBe('c');
    expect(after(gone, call('a', 'held'), call('b', 'wrap_up')).selected).toBe('b');
    expect(after(gone, call('o', 'offered'), call('a', 'held')).selected).toBe('a');
    expect(after(gone).selected).toBeNull();
    expect(pickMiddle(gone, [], none as never, () => 'form').selected).toBe('form');
  });
});

describe('a key pressed beside a form that was left', () => {
  it('is for the caller she speaks with, not for one on hold who came before', () => {
    expect(callMeant(null, [call('a', 'held'), call('b', 'talking')])?.id).toBe('b');
    expect(callMeant(null, [call('a', 'wrap_up'), call('b', 'held')])?.id).toBe('b');
    expect(callMeant(null, [call('o', 'offered'), call('a', 'wrap_up')])?.id).toBe('a');
    expect(callMeant(null, [call('o', 'offered')])).toBeNull();
    expect(callMeant(call('a', 'held'), [call('a', 'held'), call('b', 'talking')])?.id).toBe('a');
  });
});

describe('the key for hanging up', () => {
  it('parts with whom she has in the ear, though one on hold stands in the middle', () => {
    const [held, talking] = [call('a', 'held'), call('b', 'talking')];
    expect(hangUpMeant(held, [held, talking])?.id).toBe('b');
    expect(hangUpMeant(null, [held, talking])?.id).toBe('b');
    expect(hangUpMeant(talking, [held, talking])?.id).toBe('b');
    const patching = call('c', 'patching');
    expect(hangUpMeant(call('d', 'wrap_up'), [held, patching])?.id).toBe('c');
  });

  it('cuts nobody off who is on hold, nor one who is offered', () => {
    const held = call('a', 'held');
    expect(hangUpMeant(held, [held])).toBeNull();
    expect(hangUpMeant(null, [held, call('o', 'offered')])).toBeNull();
  });
});
