// What a client is writing on the portal: kept for this tab until it is saved or given up, so that whoever's session ends goes on where
// they were. Whoever logs in is rid of everybody else's: an office shares its machines. Pure but for the shelf it is given.

export type KeptShelf = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;

const PREFIX = 'cordboard.portal.';

const nameOf = (user: string, place: string) => `${PREFIX}${user}.${place}`;

/** What one user writes at one place. */
export class Kept<T> {
  private readonly name: string;

  constructor(
    private readonly shelf: KeptShelf,
    private readonly user: string,
    place: string,
  ) {
    this.name = nameOf(user, place);
  }

  find(): T | null {
    if (this.user === '') return null;
    try {
      return JSON.parse(this.shelf.getItem(this.name) ?? 'null') as T | null;
    } catch {
      // Not ours, or of another version.
      return null;
    }
  }

  /** Null: there is nothing to keep. */
  keep(value: T | null): void {
    if (this.user === '') return;
    try {
      if (value === null) this.shelf.removeItem(this.name);
      else this.shelf.setItem(this.name, JSON.stringify(value));
    } catch {
      // Full or forbidden storage: it is here as long as the page is.
    }
  }
}

/** Leaves nothing but what `user` has written; null: nothing at all. */
export function sweepKept(shelf: KeptShelf, user: string | null): void {
  const names = Array.from({ length: shelf.length }, (_, i) => shelf.key(i) ?? '');
  for (const name of names) if (name.startsWith(PREFIX) && (user === null || !name.startsWith(nameOf(user, '')))) shelf.removeItem(name);
}
