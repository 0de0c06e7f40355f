// Pushes to this device: whether it can take them, and asking for them.

import { inbox } from './api';
import { keyBytes } from './words';

export type PushState =
  /** It takes them. */
  | 'on'
  /** It could, and was not asked yet. */
  | 'ask'
  /** Its person or its system said no: only its settings help. */
  | 'denied'
  /** It cannot; an iPhone can once the inbox is on its home screen. */
  | 'cannot'
  | 'cannot_here';

export function pushState(): PushState {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) {
    return /iPhone|iPad/.test(navigator.userAgent) ? 'cannot_here' : 'cannot';
  }
  if (Notification.permission === 'granted') return 'on';
  return Notification.permission === 'denied' ? 'denied' : 'ask';
}

/** The worker that wakes on a push. Told anew each time: what is registered already stays. */
export async function startWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.register('/inbox-worker.js', { scope: '/inbox' }).catch(() => undefined);
}

/** Subscribes this device with the service's key, and tells the service. A subscription for another key is given up. */
export async function subscribe(key: string): Promise<void> {
  const registration = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: keyBytes(key) };
  let subscription: PushSubscription;
  try {
    subscription = await registration.pushManager.subscribe(options);
  } catch (error) {
    const before = await registration.pushManager.getSubscription();
    if (!before) throw error;
    await before.unsubscribe();
    subscription = await registration.pushManager.subscribe(options);
  }
  await inbox.subscribe(subscription.toJSON());
}
