// One console per browser: two softphones under one name would steal each other's calls.

/** Takes the lock for this user; resolves to false if another tab has it. Held until the tab is closed. */
export async function claimTab(user: string): Promise<boolean> {
  if (!navigator.locks) return true;
  return new Promise((resolve) => {
    void navigator.locks
      .request(`cordboard.desk.${user}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        // Never settles: the lock lives as long as the tab.
        return lock ? new Promise<void>(() => undefined) : undefined;
      })
      .catch(() => resolve(true));
  });
}

const CHANNEL = 'cordboard.tabs';

/** Asks the tab that has the desk to come forward; it can only flash its title. */
export function callOtherTab(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage('come');
  channel.close();
}

export function onCalled(handler: () => void): void {
  new BroadcastChannel(CHANNEL).onmessage = () => handler();
}
