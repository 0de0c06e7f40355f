import { describe, expect, it } from 'vitest';
import { actWords, dayStart, objectWords, pageOf, whoWords } from './audit';

describe('the audit log in words', () => {
  it('says who it was, also where there is no such person any more', () => {
    expect(whoWords({ kind: 'user', id: 'usr_kim', name: 'Kim' })).toBe('Kim');
    expect(whoWords({ kind: 'user', id: 'usr_kim', name: null })).toBe('somebody who is gone');
    expect(whoWords({ kind: 'contact', id: 'con_ben', name: 'Ben' })).toBe('Ben, by telephone');
    expect(whoWords({ kind: 'contact', id: 'con_ben', name: 'Ben' }, 'inbox.read')).toBe('Ben');
    expect(whoWords({ kind: 'nobody', id: 'nobody', name: null })).toBe('somebody unknown');
    expect(whoWords({ kind: 'other', id: 'bot_1', name: null })).toBe('bot_1');
  });

  it('shows a word of a newer server as it is', () => {
    expect(actWords('message.read')).toBe('read the message');
    expect(actWords('fax.sent_again')).toBe('fax sent again');
  });

  it('leads to what it was done to where there is a page', () => {
    expect(pageOf('msg_1')).toEqual({ name: 'message', id: 'msg_1' });
    expect(pageOf('acc_1')).toEqual({ name: 'account', id: 'acc_1' });
    expect(pageOf('ses_1')).toBeNull();
    expect(objectWords('msg_0mdk3v9q8t7w2x4y6z8a1b2c3d')).toBe('message …1b2c3d');
    expect(objectWords('acc_plumbing')).toBe('account plumbing');
    expect(objectWords('42')).toBe('42');
  });

  it('takes a day as it is on this clock, to its end', () => {
    expect(dayStart('2026-11-26')).toBe(new Date(2026, 10, 26).getTime());
    expect(dayStart('2026-11-30', 1)).toBe(new Date(2026, 11, 1).getTime());
    expect(dayStart('')).toBeUndefined();
  });
});
