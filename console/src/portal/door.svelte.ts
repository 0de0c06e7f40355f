// Whose portal it is, which of their accounts is shown and which page of it. Another account is another world: nothing goes along.

import { same } from '../lib/account';
import { onRefusal } from '../lib/api';
import { isGone, pathOf, readPath, settled, type PageName, type Place } from './place';
import { portal } from './api';
import type { MessageFilter, PortalAccount, PortalHome } from './types';

class Door {
  home = $state.raw<PortalHome | null>(null);
  error = $state.raw<unknown>(null);
  place = $state.raw<Place>(readPath(location.pathname));
  /** What is looked for among the messages: stays while one of them is read. */
  filter = $state.raw<MessageFilter>({});

  constructor() {
    onRefusal((problem) => problem.code === 'portal.right' && void this.lookAgain());
    addEventListener('popstate', () => this.enter(readPath(location.pathname)));
  }

  get account(): PortalAccount | null {
    return this.home?.accounts.find((a) => a.id === this.place.account) ?? null;
  }

  /** The page that is shown is none of theirs any more. */
  get lost(): boolean {
    return this.account !== null && isGone(this.place.page, this.account.rights);
  }

  /** A right may have been taken away: the menu has what is left. The page stays, with what is written on it. */
  private async lookAgain(): Promise<void> {
    const home = await portal.home().catch(() => null);
    // Only what is another is shown anew: pages read again by it, and would be refused again without end.
    if (home && this.home && !same(home, this.home)) this.home = home;
  }

  async load(): Promise<void> {
    try {
      this.home = await portal.home();
      this.error = null;
      this.enter(this.place);
    } catch (error) {
      this.error = error;
    }
  }

  /** Nobody is logged in any more. */
  leave(): void {
    this.home = null;
    this.error = null;
    this.filter = {};
  }

  path(page: PageName, id: string | null = null): string {
    return pathOf({ account: this.place.account, page, id });
  }

  go(page: PageName, id: string | null = null): void {
    this.move({ account: this.place.account, page, id });
  }

  change(account: string): void {
    this.move({ account, page: this.place.page, id: null });
  }

  private move(place: Place): void {
    const path = pathOf(place);
    if (path !== location.pathname) history.pushState(null, '', path);
    this.enter(place);
    scrollTo(0, 0);
  }

  private enter(wanted: Place): void {
    const place = this.home ? settled(wanted, this.home.accounts) : wanted;
    if (place.account !== this.place.account) this.filter = {};
    this.place = place;
    const path = pathOf(place);
    if (this.home && path !== location.pathname) history.replaceState(null, '', path);
  }
}

export const door = new Door();

/** For links: a plain click changes the page without a reload; with a modifier the browser does its own. */
export function follow(event: MouseEvent, page: PageName, id: string | null = null): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  door.go(page, id);
}
