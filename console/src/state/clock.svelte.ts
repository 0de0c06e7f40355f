// The time that the desk shows, by the server's clock: its countdowns are what counts.

import { serverOffset } from '../lib/api';

class Clock {
  now = $state(Date.now());

  constructor() {
    if (typeof document === 'undefined') return;
    setInterval(() => (this.now = Date.now() + serverOffset()), 500);
  }
}

export const clock = new Clock();
