// Short words to the operator: what went wrong, and what a screen reader should say.

export interface Notice {
  id: number;
  level: 'info' | 'error';
  text: string;
}

const STAYS_MS = 9_000;

class Notices {
  items = $state<Notice[]>([]);
  /** Read out politely; not shown. */
  spoken = $state('');
  private last = 0;

  show(text: string, level: Notice['level'] = 'error'): void {
    if (this.items.some((n) => n.text === text)) return;
    const id = ++this.last;
    this.items = [...this.items.slice(-2), { id, level, text }];
    setTimeout(() => this.dismiss(id), STAYS_MS);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((n) => n.id !== id);
  }

  /** It is true no more. */
  withdraw(text: string): void {
    this.items = this.items.filter((n) => n.text !== text);
  }

  say(text: string): void {
    // The same words twice are spoken twice only if the text changes in between.
    this.spoken = this.spoken === text ? `${text} ` : text;
  }

  /** It is true no more; what was said since stands. */
  unsay(text: string): void {
    if (this.spoken.trimEnd() === text) this.spoken = '';
  }
}

export const notices = new Notices();
