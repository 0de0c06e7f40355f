// Which page is shown. The path says it, so that a reload and the back button do what people expect.

export type Page =
  | { name: 'desk' }
  | { name: 'ready' }
  | { name: 'board' }
  | { name: 'floor' }
  | { name: 'hung_up' }
  | { name: 'handover' }
  | { name: 'messages' }
  | { name: 'message'; id: string }
  | { name: 'accounts' }
  | { name: 'account'; id: string }
  | { name: 'on_call'; id?: string }
  | { name: 'clients' }
  | { name: 'users' }
  | { name: 'audit' };

export function readPath(path: string): Page {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  switch (parts[0]) {
    case 'ready':
      return { name: 'ready' };
    case 'hung_up':
      return { name: 'hung_up' };
    case 'handover':
      return { name: 'handover' };
    case 'board':
      return { name: 'board' };
    case 'floor':
      return { name: 'floor' };
    case 'messages':
      return parts[1] ? { name: 'message', id: parts[1] } : { name: 'messages' };
    case 'accounts':
      return parts[1] ? { name: 'account', id: parts[1] } : { name: 'accounts' };
    case 'on_call':
      return parts[1] ? { name: 'on_call', id: parts[1] } : { name: 'on_call' };
    case 'clients':
      return { name: 'clients' };
    case 'users':
      return { name: 'users' };
    case 'audit':
      return { name: 'audit' };
    default:
      return { name: 'desk' };
  }
}

export function pathOf(page: Page): string {
  if (page.name === 'message') return `/messages/${encodeURIComponent(page.id)}`;
  if (page.name === 'account') return `/accounts/${encodeURIComponent(page.id)}`;
  if (page.name === 'on_call' && page.id) return `/on_call/${encodeURIComponent(page.id)}`;
  return `/${page.name}`;
}

class Router {
  page = $state<Page>(readPath(location.pathname));

  constructor() {
    addEventListener('popstate', () => (this.page = readPath(location.pathname)));
  }

  go(page: Page): void {
    const path = pathOf(page);
    if (path !== location.pathname) history.pushState(null, '', path);
    this.page = page;
  }
}

export const router = new Router();

/** For links: a plain click changes the page without a reload; with a modifier the browser does its own. */
export function follow(event: MouseEvent, page: Page): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  router.go(page);
}
