// One console per browser: two softphones under one name would steal each other's calls.

type Locks = Pick<LockManager, 'request'>;

/**
 * Takes the lock for this user; resolves to what gives it back, or to null if another tab has it. Held until then, or until the tab is
 * closed: a tab in which nobody is logged in any more has no telephone, and the next log-in in it asks anew.
 */
export async function claimTab(user: string, locks: Locks | undefined = navigator.locks): Promise<(() => void) | null> {
  if (!locks) return () => undefined;
  return new Promise((resolve) => {
    void locks
      .request(`cordboard.desk.${user}`, { ifAvailable: true }, (lock) => {
        if (!lock) {
          resolve(null);
          return undefined;
        }
        return new Promise<void>((release) => resolve(release));
      })
      .catch(() => resolve(() => undefined));
  });
}

const CHANNEL = 'cordboard.tabs';

/** Asks the tab that has the desk to come forward; it can only flash its title. */
export function callOtherTab(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage('come');
  channel.close();
}

/** Listens for that until it is told to stop. */
export function onCalled(handler: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = () => handler();
  return () => channel.close();
}
