import { describe, expect, it } from 'vitest';
import type { Content, Item } from './types';
import { asNow, deviceName, keyBytes, needsYou, stateWords, tokenOf } from './words';

const NOW = Date.UTC(2026, 2, 7, 8, 30);
const item = (change: Partial<Item> = {}): Item => ({
  id: 'dsp_1',
  sent_at: NOW - 60_000,
  taken_at: NOW - 120_000,
  urgency: 'urgent',
  state: 'open',
  read_at: null,
  confirmed_at: null,
  done_by: null,
  asks: true,
  expires_at: NOW + 86_400_000,
  expired: false,
  ...change,
});

describe('what an inbox says of a message', () => {
  it('says what is still to be done, and since when it is done', () => {
    const words = (change: Partial<Item>) => stateWords(item(change), NOW, 'America/Chicago');
    expect(words({})).toBe('Not read yet. It asks for a confirmation.');
    expect(words({ asks: false })).toBe('Not read yet.');
    expect(words({ read_at: NOW })).toBe('You read it 02:30. It waits for your confirmation.');
    expect(words({ state: 'read', asks: false, read_at: NOW })).toBe('You read it 02:30.');
    expect(words({ state: 'confirmed', confirmed_at: NOW })).toBe('You confirmed it 02:30.');
    expect(words({ state: 'done', done_by: 'Ada' })).toBe('Handled by Ada.');
    expect(words({ state: 'done' })).toBe('It is over: nothing is left to do.');
    expect(words({ expired: true })).toMatch(/too long ago/);
  });

  it('asks for attention only while something can be done', () => {
    expect(needsYou(item())).toBe(true);
    expect(needsYou(item({ expired: true }))).toBe(false);
    expect(needsYou(item({ state: 'read' }))).toBe(false);
  });
});

describe('links and devices', () => {
  it('finds the token in a link however it was pasted', () => {
    expect(tokenOf('https://desk.example.com/inbox#AbCdEfGhIjKlMnOpQrStUv')).toBe('AbCdEfGhIjKlMnOpQrStUv');
    expect(tokenOf(' #AbCdEfGhIjKlMnOpQrStUv ')).toBe('AbCdEfGhIjKlMnOpQrStUv');
    for (const text of ['', '#', 'https://desk.example.com/inbox', '#short', '#a b c d e f g h i j k l']) expect(tokenOf(text)).toBeNull();
  });

  it('names a device by its browser', () => {
    expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)')).toBe('iPhone');
    expect(deviceName('Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140 Mobile Safari')).toBe('Android phone');
    expect(deviceName('Mozilla/5.0 (X11; Linux x86_64)')).toBe('Linux computer');
    expect(deviceName('curl')).toBe('a browser');
  });

  it('reads a key as it was written', () => {
    expect([...keyBytes('_-8A')]).toEqual([255, 239, 0]);
    expect([...keyBytes('AQI')]).toEqual([1, 2]);
  });
});

it('a message that lies open stands as it is now, with its words', () => {
  const content: Content = { ...item({ read_at: NOW }), edition: 1, call_type: 'Leak', caller: null, answers: [{ label: 'What', words: 'water', long: false }], changed: false, written: [] };
  const others = item({ id: 'dsp_2' });
  const now = asNow(content, [others, item({ state: 'done', read_at: NOW, done_by: 'Dr. Amara Osei', asks: false })]);
  expect([now.asks, stateWords(now, NOW, 'UTC')]).toEqual([false, 'Handled by Dr. Amara Osei.']);
  expect(now.answers).toEqual(content.answers);
  expect(asNow(content, [others])).toBe(content);
});
