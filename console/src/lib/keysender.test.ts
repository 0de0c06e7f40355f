import { expect, it } from 'vitest';
import { KeySender } from './keysender';

it('sends keys in order, one request at a time', async () => {
  const sent: string[] = [];
  let answer: () => void = () => undefined;
  const sender = new KeySender(
    (keys) => {
      sent.push(keys);
      return new Promise<void>((done) => (answer = done));
    },
    () => undefined,
  );
  for (const key of '12#') sender.press(key);
  expect(sent).toEqual(['1']);
  answer();
  await Promise.resolve();
  await Promise.resolve();
  expect(sent).toEqual(['1', '2#']);
});

it('forgets what was pressed after keys that did not go', async () => {
  const failed: unknown[] = [];
  const sent: string[] = [];
  const sender = new KeySender(
    (keys) => {
      sent.push(keys);
      return sent.length === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
    },
    (error) => failed.push(error),
  );
  for (const key of '123') sender.press(key);
  await new Promise((done) => setTimeout(done));
  expect([sent, failed.length]).toEqual([['1'], 1]);
  sender.press('4');
  expect(sent).toEqual(['1', '4']);
});
