// Wakes on a push, tells the service that it arrived, and shows that there is a secure message: nothing of it, and nobody's name.
// Keeps nothing: what an inbox holds is never on the device.

// Shares no file with the page, so that it is built as one script, which every browser takes for a worker.

// The worker's own types would clash with the page's, so what is used of them stands here.
interface Waits extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface PushEvent extends Waits {
  data: { json(): unknown } | null;
}
interface NotificationEvent extends Waits {
  notification: Notification;
}
/** The subscription that ended, and the one in its place, where the browser has made one. */
interface ChangeEvent extends Waits {
  oldSubscription?: PushSubscription | null;
  newSubscription?: PushSubscription | null;
}
interface Page {
  url: string;
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}
interface Worker {
  registration: ServiceWorkerRegistration;
  clients: {
    claim(): Promise<void>;
    matchAll(which: { type: 'window'; includeUncontrolled: boolean }): Promise<Page[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', handler: (event: Waits) => void): void;
  addEventListener(type: 'push', handler: (event: PushEvent) => void): void;
  addEventListener(type: 'notificationclick', handler: (event: NotificationEvent) => void): void;
  addEventListener(type: 'pushsubscriptionchange', handler: (event: ChangeEvent) => void): void;
}
const worker = self as unknown as Worker;

interface Shown {
  show: 'message' | 'handled';
  open: number;
}

/** One notification stands for all that waits. */
const TAG = 'inbox';
const PATIENCE_MS = 10_000;

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('push', (event) => event.waitUntil(pushed(event)));
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openInbox());
});

worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event)));

/**
 * The browser has given up this device's subscription: another takes its place, and the service is told where pushes go now. The
 * device is known by its cookie, so no PIN is needed. Failing that, the page does it when the inbox is next opened.
 */
async function renew(event: ChangeEvent): Promise<void> {
  const subscription = event.newSubscription ?? (await resubscribe());
  await fetch('/api/v1/inbox/push/renewed', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(subscription.toJSON()),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

/** With the key that the service signs with now: the browser does not always say what the old one was made for. */
async function resubscribe(): Promise<PushSubscription> {
  const response = await fetch('/api/v1/inbox', { signal: AbortSignal.timeout(PATIENCE_MS) });
  const { push_key: key } = (await response.json()) as { push_key: string };
  return worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** Tells that a push arrived, and asks what to show of it. Without an answer: that there is a message. */
async function ask(id: string): Promise<Shown> {
  try {
    const response = await fetch(`/api/v1/inbox/pushes/${encodeURIComponent(id)}`, {
      method: 'POST',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.ok) return (await response.json()) as Shown;
  } catch {
    // Offline, or the service is away: the person is told all the same.
  }
  return { show: 'message', open: 1 };
}

async function pushed(event: PushEvent): Promise<void> {
  const told = event.data?.json() as { id?: unknown } | null | undefined;
  const id = typeof told?.id === 'string' ? told.id : '';
  const { show, open } = await ask(id);
  const fresh = show === 'message';
  const many = open > 1 ? `${open} secure messages wait` : 'A secure message waits';
  const [title, body] = open > 0 || fresh ? [many, 'Open with your PIN.'] : ['Handled', 'Nothing is left to do.'];
  const options: NotificationOptions & { renotify: boolean } = {
    body,
    tag: TAG,
    icon: '/inbox-192.png',
    renotify: fresh,
    silent: !fresh,
    requireInteraction: fresh,
  };
  await worker.registration.showNotification(title, options);
  for (const page of await pages()) page.postMessage('pushed');
}

async function pages(): Promise<Page[]> {
  const all = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter((page) => new URL(page.url).pathname.startsWith('/inbox'));
}

async function openInbox(): Promise<void> {
  const [open] = await pages();
  await (open ? open.focus() : worker.clients.openWindow('/inbox'));
}
