// What the sandbox tells its page (src/sandbox/board.rs).

export type Mode = 'normal' | 'busy' | 'voicemail' | 'off';
export type PhoneState = 'idle' | 'ringing' | 'dialling' | 'alerting' | 'talking' | 'voicemail';

export interface Text {
  at: number;
  with: string;
  body: string;
  mine: boolean;
  failed: boolean;
}

export interface PhoneView {
  number: string;
  name: string;
  title: string;
  mode: Mode;
  state: PhoneState;
  with: string | null;
  since: number | null;
  last: string | null;
  handset: number | null;
  texts: Text[];
}

export interface Mail {
  id: number;
  at: number;
  from: string;
  subject: string;
  body: string;
  can_answer: boolean;
  answers: string[];
}

export interface Mailbox {
  address: string;
  name: string;
  mails: Mail[];
}

export interface NumberEntry {
  number: string;
  account: string;
  hint: string;
}

export interface Login {
  login: string;
  password: string;
  role: string;
}

export interface SandboxState {
  now: number;
  caller: PhoneView;
  phones: PhoneView[];
  mailboxes: Mailbox[];
  numbers: NumberEntry[];
  logins: Login[];
}
