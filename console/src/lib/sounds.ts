// Sounds that people speak in: greetings by telephone, a status greeting, an operator's own voice.

import type { Speech } from './types';

/** A greeting that is spoken in on somebody's telephone. */
export interface DictationView {
  user: string;
  account: string;
  state: 'ringing' | 'listening' | 'speaking' | 'choosing' | 'kept' | 'over' | 'unreached';
  /** How often nothing was heard. */
  silent: number;
  speech: Speech | null;
  millis: number | null;
}

/** A recording that was spoken in by telephone, to be chosen. */
export interface AccountRecording {
  speech: Extract<Speech, { kind: 'uploaded' }>;
  millis: number;
  by: { id: string; name: string };
  at: number;
}

/** What callers hear before the greeting, by word of one of the client's people. */
export interface StatusGreeting {
  speech: Speech;
  /** What it says, where it was written; none: it was spoken in. */
  words: string | null;
  by: string;
  at: number;
  until: number | null;
}

/** An account's answer phrase in an operator's own voice. */
export interface AnswerPhrase {
  operator: string;
  speech: Speech;
  millis: number;
}
