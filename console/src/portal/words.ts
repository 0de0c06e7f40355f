// What the portal says, for people who run an office and not an answering service. Pure.

import { listWords, partWords, type GoingLivePart, type Part } from '../lib/clients';
import type { Urgency } from '../lib/types';
import type { NightLine, PortalAccount, PortalMessage, PortalMessageWhole, Reach, TimeLine, Use, VerifyBy } from './types';

/** A refusal as the server gives it. */
interface Refused {
  status: number;
  code: string;
  message: string;
}

const CURES: Record<string, string> = {
  offline: 'Look at your connection, then try again. Nothing you wrote is lost.',
  'account.stale': 'Somebody else has changed the account in the meantime. What you wrote is still here: look whether it still fits, then save again.',
  'going_live.stale': 'It was changed while you read it. What it is now is shown: read it again, then approve it.',
  'portal.message_over': 'It was taken too long ago to be opened here. Call your answering service if you need it.',
  'verification.too_soon': 'A code was sent there less than a minute ago. Wait for it, or try again in a minute.',
  'verification.no_way': 'The service cannot send there at the moment. Try again later, or tell your answering service.',
  'verification.wrong': 'Look at the newest code and type its six digits again.',
  'verification.over': 'That code counts no more. Ask for another.',
  'protocol_change.decided': 'The service has decided it already. Load the page again to see how.',
};

/** What went wrong, and what to do about it. */
export function explain(error: unknown): { words: string; cure: string } {
  const { status = 0, code = '', message = '' } = (error ?? {}) as Partial<Refused>;
  const words = code === 'offline' ? 'The answering service cannot be reached.' : message || 'That did not work.';
  const cure = CURES[code] ?? (status === 404 ? 'It is not there any more, or was never yours.' : status >= 500 ? 'Try again in a moment. If it stays like this, call your answering service.' : '');
  return { words, cure };
}

/** How an account stands, in a sentence; empty where all is approved and in service. */
export function accountWords(account: Pick<PortalAccount, 'state' | 'missing' | 'changed'>): string {
  const changed = account.changed.length ? `Changed since it was approved: ${listWords(account.changed.map(partWords))}.` : '';
  if (account.state === 'draft') {
    const missing = account.missing.length ? `Still to be approved by you: ${listWords(account.missing.map(partWords))}.` : '';
    return ['This account is a draft. Calls are answered all the same.', missing, changed].filter(Boolean).join(' ');
  }
  return changed;
}

/** How a part stands, with who said yes and to which version. */
export function approvalWords(part: GoingLivePart, when: (at: number) => string): string {
  const { approved } = part;
  if (!approved) return 'Not approved yet.';
  const yes = `approved by ${approved.name} ${when(approved.at)}, version ${shortVersion(approved.version)}`;
  const by = approved.by.name === approved.name ? '' : ` (put down by ${approved.by.name})`;
  return part.state === 'changed' ? `Changed since it was ${yes}${by}.` : `${yes[0]!.toUpperCase()}${yes.slice(1)}${by}.`;
}

/** Versions may be long; their beginning tells them apart. */
export function shortVersion(version: string): string {
  return version.length > 12 ? version.slice(0, 8) : version;
}

/** Who may approve what. */
export const APPROVES: Record<Part, 'settings' | 'contacts' | 'protocol'> = { scripts: 'settings', contacts: 'contacts', escalation: 'protocol' };

/** The dispatches of a night: what needs somebody, what waits as agreed, what is over. */
export function nightGroups(lines: readonly NightLine[]): { open: NightLine[]; held: NightLine[]; done: NightLine[] } {
  const isHeld = (line: NightLine) => line.state?.startsWith('held') ?? false;
  const isOpen = (line: NightLine) => line.needs_operator || line.state === 'open' || line.state === 'running';
  const byTime = [...lines].sort((a, b) => a.at - b.at);
  return {
    open: byTime.filter(isOpen),
    held: byTime.filter((line) => !isOpen(line) && isHeld(line)),
    done: byTime.filter((line) => !isOpen(line) && !isHeld(line)),
  };
}

/** The lines of a night that do not stand above it as under way. */
export function besides(lines: readonly NightLine[], now: readonly NightLine[]): NightLine[] {
  return lines.filter((line) => !now.some((one) => one.message === line.message));
}

/** The night in a sentence. */
export function nightWords(lines: readonly NightLine[]): string {
  if (lines.length === 0) return 'Nobody had to be told of anything.';
  const { open, held } = nightGroups(lines);
  const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  const parts = [count(lines.length, 'message', 'messages')];
  if (held.length) parts.push(`${held.length} waiting for the recap or your check-in`);
  parts.push(open.length ? `${open.length} still open` : 'nothing is open');
  return `${parts.join(', ')}.`;
}

export function urgencyWords(urgency: Urgency): string {
  return { urgent: 'Urgent', routine: 'Routine', not_legitimate: 'Not a real call' }[urgency];
}

/** `Urgent · Burst pipe`; a call type that is called like its urgency is said once. */
export function kindWords(urgency: Urgency, callType: string): string {
  const words = urgencyWords(urgency);
  return words.toLowerCase() === callType.trim().toLowerCase() ? words : `${words} · ${callType}`;
}

/** What became of a message, each thing once: how it stands, what comes next, and what was done with why somebody, where the line itself has it not. */
export function becameOf(message: Pick<PortalMessageWhole, 'dispatch' | 'next' | 'timeline'>): { stands: string; next: string; lines: TimeLine[] } {
  const next = message.next?.text ?? '';
  const words = message.dispatch ? message.dispatch.words : 'It was kept; nobody had to be told.';
  // In a list what comes next is how it stands; here it has a line of its own.
  const stands = next && words === next ? 'Under way.' : words;
  const lines = message.timeline
    .filter((line) => line.kind !== 'waiting' || line.text !== next)
    .map((line) => ({ ...line, why: line.why && !line.text.includes(line.why) ? line.why : null }));
  return { stands, next, lines };
}

/** What a message is called in a list. */
export function headlineOf(message: Pick<PortalMessage, 'protected' | 'headline' | 'call_type'>): string {
  if (message.protected) return `${message.call_type.name} (protected: open it to read)`;
  return message.headline || message.call_type.name;
}

const REACHES: Record<Reach, string> = { phone: 'Telephone', email: 'Email', pager: 'Pager', webhook: 'Your own system', inbox: 'Secure inbox', fax: 'Fax machine' };

export function reachWords(kind: Reach): string {
  return REACHES[kind];
}

const BYS: Record<VerifyBy, string> = { text: 'a text', call: 'a call', email: 'an email' };

export function byWords(by: VerifyBy): string {
  return BYS[by];
}

/** In which ways a code can be sent there. */
export function verifyWays(kind: Reach): VerifyBy[] {
  if (kind === 'phone') return ['text', 'call'];
  return kind === 'email' ? ['email'] : [];
}

/** `used in: …`, each place once, those of one destination if one is named. */
export function usesOf(uses: readonly Use[], destination?: string): string[] {
  const meant = destination === undefined ? uses : uses.filter((use) => use.destination === destination);
  return [...new Set(meant.map((use) => use.text))];
}

/** A PIN is 4 to 10 digits. */
export function isPin(text: string): boolean {
  return /^\d{4,10}$/.test(text.trim());
}

/** Why a new password, typed twice, is not sent; empty: it is. */
export function passwordFault(password: string, again: string): string {
  if ([...password].length < 8) return 'A password has at least 8 characters.';
  return password === again ? '' : 'This is not the same as the new one above. Type both once more.';
}

/** What somebody typed of a code, if it is whole. */
export function readCode(text: string): string | null {
  const digits = text.replace(/\D/g, '');
  return digits.length === 6 ? digits : null;
}

/** A number that rings when it is touched. */
export function dial(words: string): string | null {
  return /^\+[\d ]{6,20}$/.test(words) ? `tel:${words.replace(/ /g, '')}` : null;
}
