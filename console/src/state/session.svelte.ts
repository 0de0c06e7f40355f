// Who is logged in. The token is renewed well before it expires; tabs share one session and take turns renewing it.

import { Problem, api, onExpired, setToken } from '../lib/api';
import { sweepKept } from '../lib/kept';
import { sessionEndedWords } from '../lib/sentHome';
import type { Session, User } from '../lib/types';

interface Stored {
  access: string;
  refresh: string;
  expires_at: number;
  user: User;
}

const KEY = 'cordboard.session';
/** Renewed when this share of its life is over. */
const RENEW_AT = 0.6;
const RETRY_MS = 5_000;

class SessionState {
  user = $state<User | null>(null);
  /** Why the log-in page is shown, when it is not simply the start. */
  reason = $state('');
  /** Whose session ended by itself. In the middle of a call the desk stays for them, below the log-in. */
  left = $state.raw<User | null>(null);
  /** Who logged her out on the floor, since she logged in here. */
  sentHomeBy: string | null = null;
  private stored: Stored | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor() {
    onExpired(() => this.renew());
    const found = read();
    if (found) this.adopt(found);
    addEventListener('storage', (event) => {
      if (event.key !== KEY) return;
      const other = read();
      if (other && other.user.id === this.user?.id) this.adopt(other);
      else if (!other && this.user) this.forget('You logged out in another tab.');
    });
  }

  /** The token of this moment, for the sockets. */
  get token(): string | null {
    return this.stored?.access ?? null;
  }

  /** Called after every renewal. */
  onRenewed(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async logIn(login: string, password: string): Promise<void> {
    const session = await api.logIn(login, password);
    this.reason = '';
    this.sentHomeBy = null;
    this.keep(session);
    this.left = null;
  }

  async logOut(): Promise<void> {
    // The server should forget the session, but a dead line must not keep her logged in here.
    await api.logOut().catch(() => undefined);
    this.forget('');
    sweepKept(sessionStorage, null);
    this.left = null;
  }

  private keep(session: Session): void {
    const stored: Stored = {
      access: session.access_token,
      refresh: session.refresh_token,
      expires_at: Date.now() + session.expires_in * 1000,
      user: session.user ?? this.stored?.user,
    };
    localStorage.setItem(KEY, JSON.stringify(stored));
    this.adopt(stored, session.expires_in * 1000 * RENEW_AT);
  }

  private adopt(stored: Stored, renewIn?: number): void {
    this.stored = stored;
    setToken(stored.access);
    if (this.user?.id !== stored.user.id) {
      sweepKept(sessionStorage, stored.user.id);
      this.user = stored.user;
    }
    clearTimeout(this.timer);
    const left = stored.expires_at - Date.now();
    this.timer = setTimeout(() => void this.renew(), Math.max(0, renewIn ?? left - 120_000));
    for (const listener of this.listeners) listener();
  }

  /** True if there is a fresh token now. */
  async renew(): Promise<boolean> {
    const mine = this.stored;
    if (!mine) return false;
    // The refresh token works once. Whoever gets the lock first renews; the others find the new one.
    const turn = <T>(work: () => Promise<T>) => (navigator.locks ? navigator.locks.request('cordboard.renew', work) : work());
    return turn(async () => {
      const current = read();
      if (current && current.access !== mine.access && current.user.id === mine.user.id && current.expires_at - Date.now() > 30_000) {
        this.adopt(current);
        return true;
      }
      try {
        this.keep(await api.refresh((current ?? mine).refresh));
        return true;
      } catch (error) {
        // A server that is busy, or has heard from this office too often, says nothing about the session.
        if (error instanceof Problem && (error.offline || error.status >= 500 || error.status === 429)) {
          clearTimeout(this.timer);
          this.timer = setTimeout(() => void this.renew(), RETRY_MS);
          return false;
        }
        this.forget(sessionEndedWords(this.sentHomeBy));
        return false;
      }
    });
  }

  private forget(reason: string): void {
    clearTimeout(this.timer);
    localStorage.removeItem(KEY);
    this.stored = null;
    setToken(null);
    this.reason = reason;
    this.left = this.user;
    this.user = null;
  }
}

function read(): Stored | null {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Stored | null;
    return stored?.access && stored.refresh && stored.user?.id ? stored : null;
  } catch {
    return null;
  }
}

export const session = new SessionState();
