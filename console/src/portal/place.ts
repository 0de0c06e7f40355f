// Which page of which account is shown. The path says it, so that a reload and the back button do what people expect. Pure.

import type { Right } from '../lib/clients';

export type PageName = 'night' | 'messages' | 'on_call' | 'contacts' | 'settings' | 'report' | 'protocols' | 'going_live';

export interface Place {
  account: string | null;
  page: PageName | null;
  id: string | null;
}

interface PageAbout {
  name: PageName;
  label: string;
  /** What it takes; one of them is enough, none: anybody of the account. */
  rights: Right[];
}

/** In the order of the menu. */
export const PAGES: readonly PageAbout[] = [
  { name: 'night', label: 'Last night', rights: ['messages'] },
  { name: 'messages', label: 'Messages', rights: ['messages'] },
  { name: 'on_call', label: 'On call', rights: ['schedule', 'messages'] },
  { name: 'contacts', label: 'People', rights: ['contacts'] },
  { name: 'settings', label: 'Holidays & greetings', rights: ['settings'] },
  { name: 'protocols', label: 'What happens', rights: ['protocol'] },
  { name: 'report', label: 'Figures', rights: ['reports'] },
  { name: 'going_live', label: 'Approvals', rights: [] },
];

export function readPath(path: string): Place {
  const parts = path.split('/').filter(Boolean).map(decoded);
  const [account = null, page, id = null] = parts[0] === 'portal' ? parts.slice(1) : [];
  const known = PAGES.find((p) => p.name === page)?.name ?? null;
  return { account, page: known, id: known === 'messages' ? id : null };
}

/** A path that somebody has written by hand may be no text at all. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function pathOf({ account, page, id }: Place): string {
  const parts = [account, account && page, account && page && id].filter((part): part is string => Boolean(part));
  return ['/portal', ...parts.map(encodeURIComponent)].join('/');
}

/** The pages that somebody with these rights has. */
export function pagesFor(rights: readonly Right[]): PageAbout[] {
  return PAGES.filter((page) => page.rights.length === 0 || page.rights.some((right) => rights.includes(right)));
}

/** Whether a page that is shown is none of theirs any more. */
export function isGone(page: PageName | null, rights: readonly Right[]): boolean {
  return page !== null && !pagesFor(rights).some((one) => one.name === page);
}

/** Where a place leads with these rights: there, or to the first page there is. */
export function settled(place: Place, accounts: readonly { id: string; rights: readonly Right[] }[]): Place {
  const account = accounts.find((a) => a.id === place.account) ?? accounts[0];
  if (!account) return { account: null, page: null, id: null };
  const pages = pagesFor(account.rights);
  const same = account.id === place.account;
  const page = pages.find((p) => p.name === place.page) ?? pages[0]!;
  return { account: account.id, page: page.name, id: same && page.name === place.page ? place.id : null };
}
