// What an inbox says of a message before it is opened, and what a device is called. Pure.

import { when } from '../lib/time';
import type { Content, Item } from './types';

/** The state of a message, in a sentence. */
export function stateWords(item: Item, now: number, zone: string): string {
  const at = (time: number | null) => (time === null ? '' : ` ${when(time, now, zone)}`);
  if (item.state === 'confirmed') return `You confirmed it${at(item.confirmed_at)}.`;
  if (item.state === 'done') return item.done_by ? `Handled by ${item.done_by}.` : 'It is over: nothing is left to do.';
  if (item.expired) return 'It was sent too long ago and can no longer be opened here.';
  if (item.state === 'read') return `You read it${at(item.read_at)}.`;
  if (item.read_at !== null) return `You read it${at(item.read_at)}. It waits for your confirmation.`;
  return item.asks ? 'Not read yet. It asks for a confirmation.' : 'Not read yet.';
}

/** A message that lies open, as the list knows it now: somebody else may have confirmed it since it was opened. */
export function asNow(content: Content, items: readonly Item[]): Content {
  const now = items.find((item) => item.id === content.id);
  return now ? { ...content, ...now } : content;
}

/** What stands out in the list. */
export function needsYou(item: Item): boolean {
  return item.state === 'open' && !item.expired;
}

/** The token behind the `#` of a link, or of a link that was pasted. */
export function tokenOf(text: string): string | null {
  const token = text.trim().split('#').pop()?.trim() ?? '';
  return /^[\w-]{16,64}$/.test(token) ? token : null;
}

/** What this device is, as far as its browser says. */
export function deviceName(agent: string): string {
  const known: [RegExp, string][] = [
    [/iPad/, 'iPad'],
    [/iPhone/, 'iPhone'],
    [/Android.*Mobile/, 'Android phone'],
    [/Android/, 'Android tablet'],
    [/Windows/, 'Windows computer'],
    [/Macintosh|Mac OS X/, 'Mac'],
    [/Linux/, 'Linux computer'],
  ];
  return known.find(([is]) => is.test(agent))?.[1] ?? 'a browser';
}

/** A key as browsers take it for subscribing. */
export function keyBytes(base64url: string): Uint8Array<ArrayBuffer> {
  const base64 = base64url.replace(/-/g, '+').replace(/_/g, '/');
  const text = atob(base64.padEnd(Math.ceil(base64.length / 4) * 4, '='));
  const bytes = new Uint8Array(new ArrayBuffer(text.length));
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
