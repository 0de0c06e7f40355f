// The feed: one WebSocket over which the server tells what changes. After every reconnect the server sends the
// whole state again, so nothing that was missed has to be guessed.

import type { FeedEvent } from './types';

export type Link = 'connecting' | 'up' | 'down';

export interface FeedOptions {
  url: string;
  token: () => string | null;
  /** True while she types in a field; a call then shows itself and waits for a key. */
  typing: () => boolean;
  onEvent: (event: FeedEvent) => void;
  onLink: (link: Link) => void;
  /** The server does not, or no longer, take the token. */
  onRefused: () => void;
}

/** Close code of the server for a token that is not good. */
const REFUSED = 4401;

/** A socket this long without a word is dead, whatever TCP thinks. */
const SILENCE_MS = 7_000;
const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 5_000;

/** How long to wait before try number `attempt` (from 0): doubling, capped, spread so that desks do not come at once. */
export function retryDelay(attempt: number, random: number): number {
  const full = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return Math.round(full * (0.7 + 0.6 * random));
}

export class FeedClient {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private heard = 0;
  private readonly beat: Worker;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly options: FeedOptions) {
    this.beat = new Worker(new URL('./beat.worker.ts', import.meta.url), { type: 'module' });
    this.beat.onmessage = () => this.tick();
    this.connect();
    addEventListener('online', this.now);
  }

  /** A refreshed token goes over the open socket, so that the server does not end it when the old one expires. */
  authenticate(): void {
    if (this.options.token()) this.say({ type: 'auth', token: this.options.token() });
  }

  /** Tells the server at once that typing began: a pop may be on its way. */
  ping = (): void => {
    this.say(this.options.typing() ? { type: 'ping', typing: true } : { type: 'ping' });
  };

  close(): void {
    this.closed = true;
    removeEventListener('online', this.now);
    clearTimeout(this.retry);
    this.beat.terminate();
    this.socket?.close();
  }

  private now = (): void => {
    if (this.socket || this.closed) return;
    clearTimeout(this.retry);
    this.connect();
  };

  private connect(): void {
    this.options.onLink('connecting');
    const socket = new WebSocket(this.options.url, ['cordboard.v1']);
    this.socket = socket;
    this.heard = Date.now();
    socket.onopen = () => {
      this.heard = Date.now();
      this.authenticate();
    };
    socket.onmessage = (message) => {
      this.heard = Date.now();
      let event: FeedEvent;
      try {
        event = JSON.parse(String(message.data)) as FeedEvent;
      } catch {
        return;
      }
      if (event.type === 'hello') {
        this.attempt = 0;
        this.options.onLink('up');
      }
      if (event.type !== 'pong') this.options.onEvent(event);
    };
    socket.onclose = (event) => {
      if (event.code === REFUSED) this.options.onRefused();
      this.lost(socket);
    };
  }

  private tick(): void {
    const socket = this.socket;
    if (!socket) return;
    if (Date.now() - this.heard > SILENCE_MS) {
      socket.close();
      this.lost(socket);
    } else this.ping();
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    if (this.closed) return;
    this.options.onLink('down');
    this.retry = setTimeout(() => this.connect(), retryDelay(this.attempt++, Math.random()));
  }

  private say(frame: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }
}
