// What an operator and the floor read of a log-out that somebody else decided.

import { describe, expect, it } from 'vitest';
import { loggedOutBy, sessionEndedWords, toComeAtSeat, toComeWords } from './sentHome';

describe('a seat that a supervisor has logged out', () => {
  const pending = { reason: 'logged out by Sam Ito', sent_home: true };

  it('says before it happens who did it and when it is, to her and on the floor', () => {
    expect(toComeWords(pending)).toBe('Sam Ito logged you out: no more calls come to you, and when this one and its form are done you are logged out.');
    expect(toComeAtSeat(pending)).toBe('Logged out after this call, by Sam Ito.');
  });

  it('has nothing to come once it has happened, nor after a break of her own', () => {
    for (const seat of [{ ...pending, sent_home: false }, { reason: 'break' }, { reason: null }, null]) {
      expect(toComeWords(seat)).toBeNull();
      expect(toComeAtSeat(seat)).toBeNull();
    }
    expect(loggedOutBy({ reason: 'break' })).toBeNull();
  });

  it('is named on the log-in page, and a session that ran out is not said to be anybody’s doing', () => {
    expect(sessionEndedWords(loggedOutBy(pending))).toBe('Sam Ito logged you out. Log in again: what you typed is kept.');
    expect(sessionEndedWords(null)).toBe('Your session has ended. Log in again: what you typed is kept.');
  });
});
