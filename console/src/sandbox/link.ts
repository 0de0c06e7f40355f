// The page's line to the sandbox: its state by WebSocket, orders by POST.

import type { SandboxState } from './types';

export interface Link {
  close(): void;
}

/** Calls `onState` with every state, `onLine` when the line goes up or down. Reconnects by itself. */
export function follow(onState: (state: SandboxState) => void, onLine: (up: boolean) => void): Link {
  let socket: WebSocket | null = null;
  let timer = 0;
  let closed = false;
  const open = () => {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    socket = new WebSocket(`${scheme}://${location.host}/sandbox/api/events`);
    socket.onopen = () => onLine(true);
    socket.onmessage = (event) => onState(JSON.parse(String(event.data)) as SandboxState);
    socket.onclose = () => {
      onLine(false);
      if (!closed) timer = window.setTimeout(open, 1000);
    };
  };
  open();
  return {
    close() {
      closed = true;
      window.clearTimeout(timer);
      socket?.close();
    },
  };
}

/** Sends an order; what went wrong as a sentence, else null. */
export async function order(path: string, body: object = {}): Promise<string | null> {
  try {
    const answer = await post(path, body);
    if (answer.ok) return null;
    const problem = (await answer.json().catch(() => ({}))) as { title?: string };
    return problem.title ?? `That did not work (${answer.status}).`;
  } catch {
    return 'The sandbox cannot be reached. Is the demo still running?';
  }
}

export function post(path: string, body: object): Promise<Response> {
  return fetch(`/sandbox/api/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
