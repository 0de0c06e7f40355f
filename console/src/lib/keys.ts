// The keys of the console. One table: the help lists it, the buttons show it, the handler obeys it.
// The browser keeps F1, F3, F5, F6, F7, F11 and F12 for itself; none of them is used here.

export type Action =
  | 'take'
  | 'hold'
  | 'park'
  | 'speak'
  | 'fetch'
  | 'pass'
  | 'check_in'
  | 'keypad'
  | 'account'
  | 'patch'
  | 'join'
  | 'drop'
  | 'patch_cancel'
  | 'patch_next'
  | 'patch_hold'
  | 'patch_private'
  | 'join_calls'
  | 'conference'
  | 'dial_out'
  | 'ring_back'
  | 'confirm_asked'
  | 'hang_up'
  | 'save'
  | 'undo'
  | 'next_call'
  | 'mute'
  | 'ready'
  | 'seat_menu'
  | 'wrap_up_more'
  | 'quiet'
  | 'dismiss'
  | 'acknowledge'
  | 'go_desk'
  | 'go_messages'
  | 'go_board'
  | 'go_check'
  | 'go_accounts'
  | 'go_floor'
  | 'go_hung_up'
  | 'go_handover'
  | 'go_audit'
  | 'go_on_call'
  | 'search'
  | 'field_first'
  | 'faq'
  | 'held'
  | 'held_read'
  | 'urgent'
  | 'record'
  | 'record_pause'
  | 'finish'
  | 'not_legitimate'
  | 'theme'
  | 'help';

export interface KeyBinding {
  action: Action;
  /** As `KeyboardEvent.key`, with modifiers in front: `Ctrl+Enter`, `Shift+F9`, `Alt+1`. */
  combo: string;
  /** Two plain keys one after the other, outside text fields. */
  sequence?: string;
  label: string;
  group: 'Call' | 'Patch' | 'Message' | 'Seat' | 'Go to' | 'Console';
}

export const BINDINGS: readonly KeyBinding[] = [
  { action: 'take', combo: 'F2', label: 'Take the call that rings, or the next in the queue; whom you talk with goes on hold', group: 'Call' },
  { action: 'fetch', combo: 'Shift+F2', label: 'Fetch the chosen parked caller, or the one parked longest', group: 'Call' },
  { action: 'hold', combo: 'F4', label: 'Hold, and back: from another call, that one goes on hold', group: 'Call' },
  { action: 'park', combo: 'Shift+F4', label: 'Park the caller: anybody may fetch them', group: 'Call' },
  { action: 'speak', combo: 'Alt+v', label: 'Speak yourself: ends your own recording of the answer phrase', group: 'Call' },
  { action: 'pass', combo: 'Alt+g', label: 'Give the caller to another operator, or back to the queue', group: 'Call' },
  { action: 'check_in', combo: 'Alt+0', label: 'Send the caller into the check-in: by PIN, or by your word for who it is', group: 'Call' },
  { action: 'account', combo: 'Alt+a', label: 'Change the account: the call is for another one', group: 'Call' },
  { action: 'keypad', combo: 'Alt+k', label: 'Keypad: keys to the other party', group: 'Call' },
  { action: 'dial_out', combo: 'Alt+o', label: 'Dial out for an account, with no caller on the line', group: 'Call' },
  { action: 'ring_back', combo: 'Ctrl+F2', label: 'Ring the caller back whose form is left in front of you', group: 'Call' },
  { action: 'confirm_asked', combo: 'Alt+y', label: 'Who rings back confirms what they were asked', group: 'Call' },
  { action: 'hang_up', combo: 'F10', label: 'Hang up on whom you have in the ear; nobody on hold is cut off', group: 'Call' },
  { action: 'next_call', combo: 'Ctrl+ArrowDown', label: 'Finish wrap-up, or the next call on the desk', group: 'Call' },
  { action: 'finish', combo: 'Alt+Enter', label: 'Say what the call was, then a digit: message taken, patched, information, sales, hung up, not reached', group: 'Call' },
  { action: 'not_legitimate', combo: 'Alt+-', label: 'Not legitimate (sales, wrong number): finishes the wrap-up; during the call, the form’s call type', group: 'Call' },
  { action: 'record', combo: 'Alt+.', label: 'Record, and stop: where the account leaves it to you', group: 'Call' },
  { action: 'record_pause', combo: 'Alt+,', label: 'Pause the recording, and go on', group: 'Call' },
  { action: 'wrap_up_more', combo: 'Alt+w', label: 'More time for the wrap-up', group: 'Call' },
  { action: 'mute', combo: 'Alt+m', label: 'Mute your microphone, and back', group: 'Call' },
  { action: 'patch', combo: 'F8', label: 'Patch: pick whom to ring', group: 'Patch' },
  { action: 'join', combo: 'F9', label: 'Join all three; with a colleague: hand the caller over', group: 'Patch' },
  { action: 'drop', combo: 'Shift+F9', label: 'Drop off: the two talk on', group: 'Patch' },
  { action: 'patch_cancel', combo: 'Shift+F8', label: 'Give up the patch, or leave the colleague: back to the caller; whoever had called and was joined waits with music', group: 'Patch' },
  { action: 'patch_next', combo: 'Alt+n', label: 'The contact\'s next telephone: this one is a machine\'s', group: 'Patch' },
  { action: 'patch_hold', combo: 'Alt+b', label: 'Put the contact on hold: you and the caller are alone; F9 joins all', group: 'Patch' },
  { action: 'patch_private', combo: 'Alt+p', label: 'Talk with the contact alone: the caller hears music; F9 joins all', group: 'Patch' },
  { action: 'join_calls', combo: 'Ctrl+F9', label: 'Make one call of two: who rings back becomes the contact of the caller on hold; then F9 joins all', group: 'Patch' },
  { action: 'conference', combo: 'Alt+c', label: 'The colleague too: all hear each other', group: 'Patch' },
  { action: 'save', combo: 'Ctrl+Enter', label: 'Save and dispatch', group: 'Message' },
  { action: 'undo', combo: 'Alt+z', label: 'Take back what was just saved or thrown away', group: 'Message' },
  { action: 'field_first', combo: 'Alt+i', label: 'Into the form: to the first empty field of the form', group: 'Message' },
  { action: 'faq', combo: 'Alt+l', label: 'Look up what callers of the account ask', group: 'Message' },
  { action: 'held', combo: 'Alt+h', label: 'Held messages of the account: read the next one out', group: 'Message' },
  { action: 'held_read', combo: 'Alt+j', label: 'The held message was read out: delivered', group: 'Message' },
  { action: 'urgent', combo: 'Alt+u', label: 'Take as urgent, as the client’s list suggests', group: 'Message' },
  { action: 'ready', combo: 'Alt+r', label: 'Ready, or not ready', group: 'Seat' },
  { action: 'seat_menu', combo: 'Alt+s', label: 'Seat: ready, or not and why (then a digit)', group: 'Seat' },
  { action: 'quiet', combo: 'Alt+q', label: 'Quiet the alarm for two minutes', group: 'Seat' },
  { action: 'dismiss', combo: 'Alt+x', label: 'Seen to: dismiss the first alarm that can be', group: 'Seat' },
  { action: 'acknowledge', combo: 'Ctrl+F8', label: 'I see to the alarm: no supervisor is told of it for now', group: 'Seat' },
  { action: 'go_desk', combo: 'Alt+1', sequence: 'g d', label: 'Desk', group: 'Go to' },
  { action: 'go_messages', combo: 'Alt+2', sequence: 'g m', label: 'Messages', group: 'Go to' },
  { action: 'go_board', combo: 'Alt+3', sequence: 'g b', label: 'Dispatch board', group: 'Go to' },
  { action: 'go_check', combo: 'Alt+4', sequence: 'g r', label: 'Ready check', group: 'Go to' },
  { action: 'go_accounts', combo: 'Alt+5', sequence: 'g a', label: 'Accounts (supervisors, admins)', group: 'Go to' },
  { action: 'go_floor', combo: 'Alt+6', sequence: 'g f', label: 'Floor (supervisors)', group: 'Go to' },
  { action: 'go_hung_up', combo: 'Alt+7', sequence: 'g h', label: 'Callers who hung up', group: 'Go to' },
  { action: 'go_handover', combo: 'Alt+8', sequence: 'g o', label: 'Hand-over sheet', group: 'Go to' },
  { action: 'go_audit', combo: 'Alt+9', sequence: 'g u', label: 'Audit log (supervisors, admins)', group: 'Go to' },
  { action: 'go_on_call', combo: 'Alt+/', sequence: 'g c', label: 'On call', group: 'Go to' },
  { action: 'search', combo: 'Ctrl+k', label: 'Search accounts, messages, and what callers ask', group: 'Console' },
  { action: 'theme', combo: 'Alt+t', label: 'Light, dark, or as the system', group: 'Console' },
  { action: 'help', combo: 'Ctrl+/', sequence: '?', label: 'All keys', group: 'Console' },
];

/** Plain keys of one page, which handles them itself. Listed with the others in the help. */
export const FLOOR_KEYS: readonly { key: string; label: string }[] = [
  { key: '↑ ↓', label: 'Choose a call, or a seat' },
  { key: 'L', label: 'Listen: nobody hears you' },
  { key: 'W', label: 'Whisper: the operator alone hears you' },
  { key: 'B', label: 'Barge: all who talk hear you' },
  { key: 'M', label: 'Move the chosen call: opens the list of who may have it' },
  { key: 'O', label: 'Log the chosen seat out: to its button, Enter does it' },
  { key: 'Esc', label: 'Leave the call' },
];

/** The same of a calendar: for a shift that has the focus. */
export const CALENDAR_KEYS: readonly { key: string; label: string }[] = [
  { key: '← →', label: 'Choose a shift' },
  { key: 'Enter', label: 'Open the shift: who, until when, why' },
  { key: 'Space', label: 'Take it up: then ← → move it, with Shift its end, with Ctrl its start, ↑ ↓ give it to somebody else; Enter puts it there, Esc puts it back' },
  { key: '1 – 9', label: 'Give the shift to the person with that number' },
  { key: 'S', label: 'Swap two shifts: on the one, then on the other' },
  { key: 'Del', label: 'Take the override out' },
  { key: 'Ctrl Z', label: 'Take the last change back, then the one before' },
];

/** The part of a KeyboardEvent that matters. */
export interface Press {
  key: string;
  ctrlKey?: boolean;
  metaKey?: boolean;
  altKey?: boolean;
  shiftKey?: boolean;
  code?: string;
}

/** Signs by their physical keys. */
const SIGNS: Record<string, string> = { Period: '.', Comma: ',', Minus: '-', Slash: '/' };

/** `Ctrl+Enter` for a press. Cmd counts as Ctrl; Shift only where it does not already show in the key itself. */
export function comboOf(press: Press): string {
  // On a Mac, Option turns letters and signs into other characters; the physical key still says which was meant.
  const letter = press.altKey ? /^(?:Key|Digit)(.)$/.exec(press.code ?? '')?.[1] : undefined;
  const sign = press.altKey && /^[^ -~]$/.test(press.key) ? SIGNS[press.code ?? ''] : undefined;
  const name = letter ?? sign ?? press.key;
  const key = name.length === 1 ? name.toLowerCase() : name;
  const parts: string[] = [];
  if (press.ctrlKey || press.metaKey) parts.push('Ctrl');
  if (press.altKey) parts.push('Alt');
  if (press.shiftKey && press.key.length > 1) parts.push('Shift');
  return [...parts, key].join('+');
}

const SEQUENCE_MS = 1_200;

/** Reads presses one by one and says which action they mean. */
export class KeyReader {
  private first: { key: string; at: number } | null = null;

  /** `inField`: she is typing, so plain keys are text. */
  read(press: Press, inField: boolean, now: number): Action | null {
    const combo = comboOf(press);
    const direct = BINDINGS.find((b) => b.combo === combo);
    if (direct) {
      this.first = null;
      return direct.action;
    }
    if (inField || press.ctrlKey || press.metaKey || press.altKey || press.key.length !== 1) return null;
    const started = this.first && now - this.first.at <= SEQUENCE_MS ? this.first.key : null;
    const sequence = started ? `${started} ${combo}` : combo;
    this.first = null;
    const found = BINDINGS.find((b) => b.sequence === sequence);
    if (found) return found.action;
    if (BINDINGS.some((b) => b.sequence?.startsWith(`${combo} `))) this.first = { key: combo, at: now };
    return null;
  }
}

/** Plain keys of one page. After a `g` a letter names another page and is not for this one. */
export class PageKeys {
  private wentAt: number | null = null;

  /** The key, if it is meant for the page. `at`: when it was pressed, in milliseconds since the document was loaded. */
  read(key: string, at: number): string | null {
    const letter = key.toLowerCase();
    // From the first moment on: a document just loaded has not been told to go anywhere.
    const going = this.wentAt !== null && at - this.wentAt <= SEQUENCE_MS;
    if (letter === 'g') this.wentAt = at;
    return letter === 'g' || (going && letter.length === 1) ? null : letter;
  }
}

const NAMES: Record<string, string> = { ArrowDown: '↓', ArrowUp: '↑', Enter: '⏎', Escape: 'Esc', ' ': 'Space' };

/** A combo as it is printed on a button: `Ctrl ⏎`, `⇧F9`. */
export function showCombo(combo: string): string {
  const parts = combo.split('+');
  const key = parts.pop() ?? '';
  const shown = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return parts.map((p) => (p === 'Shift' ? '⇧' : `${p} `)).join('') + shown;
}

/** The combo of an action, as printed. */
export function keyOf(action: Action): string {
  const binding = BINDINGS.find((b) => b.action === action);
  return binding ? showCombo(binding.combo) : '';
}

/** For `aria-keyshortcuts`. */
export function ariaKey(action: Action): string {
  const combo = BINDINGS.find((b) => b.action === action)?.combo ?? '';
  return combo.replace('Ctrl', 'Control');
}
