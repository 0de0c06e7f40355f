// What the server says about an inbox, as the page uses it.

export interface Door {
  /** This device is somebody's. */
  known: boolean;
  push_key: string;
}

export interface Opened {
  token: string;
  expires_at: number;
  /** How long it stays open that nobody touches. */
  idle_secs: number;
  name: string;
  account: string;
  color: string;
  installed: boolean;
}

export interface Item {
  id: string;
  sent_at: number;
  taken_at: number;
  urgency: 'urgent' | 'routine' | 'not_legitimate';
  state: 'open' | 'read' | 'confirmed' | 'done';
  read_at: number | null;
  confirmed_at: number | null;
  done_by: string | null;
  asks: boolean;
  expires_at: number;
  expired: boolean;
}

export interface ItemList {
  items: Item[];
  zone: string;
}

export interface Content extends Item {
  edition: number;
  call_type: string;
  caller: string | null;
  answers: { label: string; words: string; long: boolean }[];
  changed: boolean;
  /** What was written to the service about it, oldest first. */
  written: { at: number; text: string }[];
}
