// Who hears whom, read from the hear matrix and said in words. Nobody should ever wonder who is listening.

import { otherParty } from './outgoing';
import type { CallView, HearsView, Party } from './types';

/** True if `who` hears `source` now. */
export function doesHear(hears: HearsView[], who: Party, source: string): boolean {
  return hears.some((row) => row.who === who && row.hears.includes(source));
}

/** What besides people a party hears: `music`, `ringback`, `prompt`; null for none. */
export function tone(hears: HearsView[], who: Party): string | null {
  const row = hears.find((h) => h.who === who);
  return row?.hears.find((s) => s === 'music' || s === 'ringback' || s === 'prompt') ?? null;
}

function both(hears: HearsView[], a: Party, b: Party): boolean {
  return doesHear(hears, a, b) && doesHear(hears, b, a);
}

const CALLER = 'the caller';

const TONES: Record<string, string> = { music: 'music', ringback: 'ringing', prompt: 'a recording' };

/** One or two sentences: who talks with whom, and what the rest hear. `other`: at the other end, `the caller` or whom she called. */
export function describeHears(hears: HearsView[], contact: string, other = CALLER): string {
  const said: string[] = [];
  const pairs = {
    co: both(hears, 'caller', 'operator'),
    ct: both(hears, 'caller', 'contact'),
    ot: both(hears, 'operator', 'contact'),
  };
  const four = both(hears, 'caller', 'colleague') && both(hears, 'operator', 'colleague');
  if (pairs.co && pairs.ct && pairs.ot) return four ? 'All four hear each other.' : 'All three hear each other.';
  const names: Record<Party, string> = { caller: other === CALLER ? 'Caller' : other, operator: 'You', contact, colleague: 'Your colleague' };
  for (const who of ['caller', 'operator', 'contact'] as const) {
    const heard = tone(hears, who);
    if (heard) said.push(`${names[who]} ${who === 'operator' ? 'hear' : 'hears'} ${TONES[heard]}.`);
  }
  if (pairs.ot) said.push(`You and ${contact} are private.`);
  else if (pairs.co) said.push(`You and ${other} are talking.`);
  else if (pairs.ct) said.push(`${names.caller} and ${contact} talk without you.`);
  // One-way hearing must never go unsaid.
  for (const [who, source] of [
    ['caller', 'operator'],
    ['operator', 'caller'],
    ['caller', 'contact'],
    ['contact', 'caller'],
    ['operator', 'contact'],
    ['contact', 'operator'],
  ] as const) {
    if (doesHear(hears, who, source) && !doesHear(hears, source, who)) {
      said.push(`${names[who]} ${who === 'operator' ? 'hear' : 'hears'} ${source === 'operator' ? 'you' : source === 'caller' ? other : contact}, but not the other way.`);
    }
  }
  return said.join(' ') || 'Nobody hears anybody now.';
}

const CAUSES: Record<string, string> = {
  hung_up: 'hung up',
  released: 'we hung up',
  busy: 'is busy',
  no_answer: 'did not answer',
  declined: 'declined the call',
  unwanted: 'takes no calls from the number we show',
  blocked: 'was not reached, a network took our call for spam and blocked it',
  wrong_number: 'the number does not exist',
  unreachable: 'cannot be reached now',
  lines_busy: 'was not called, all our lines are in use: try again in a moment',
  incompatible: 'cannot take the call (no common codec)',
  forbidden: 'may not be dialled from here, our rules do not allow such numbers',
  emergency: 'is not dialled from here. Tell the caller to hang up and dial the emergency number themselves, from where they are',
  limited: 'was not called, this account has as many calls out as it may have: tell a supervisor',
  lost: 'the line was lost',
  fault: 'something failed on our side',
};

/** A cause in words, to follow a name. */
export function causeWords(cause: string | null | undefined): string {
  return cause ? (CAUSES[cause] ?? cause.replaceAll('_', ' ')) : 'the call failed';
}

/** These say what happened, all others what the party does. */
const SENTENCES: readonly string[] = ['released', 'wrong_number', 'lost', 'fault'];

/** "Ben Ortiz is busy", "The number is not dialled from here. …", "Ben Ortiz: the line was lost". */
export function causeOf(name: string, cause: string | null | undefined): string {
  const does = cause && CAUSES[cause] !== undefined && !SENTENCES.includes(cause);
  return `${name}${does ? '' : ':'} ${causeWords(cause)}`;
}

/** How a call ended, in words. Nobody is on the line of one that she made herself and that was refused. `patched`: she had left
 * caller and contact alone, and who of the two hung up first is neither here nor there. */
export function endWords(call: CallView, patched = false): string {
  const cause = call.ended?.cause;
  if (call.dialled && cause === 'emergency') {
    return 'emergency numbers are not dialled from here: dial it on another telephone, now, and say where help is needed';
  }
  if (patched && (cause === 'hung_up' || cause === 'released')) return 'the two have finished';
  if (cause === 'hung_up') return call.dialled ? 'they hung up' : 'the caller hung up';
  return causeWords(cause);
}

/** The caller hung up before anybody was joined with them: there is nobody to announce. */
export function callerGone(call: CallView): boolean {
  const before = ['dialling', 'ringing', 'private'].includes(call.patch?.state ?? '');
  return before && call.hears.length > 0 && !call.hears.some((h) => h.who === 'caller');
}

/** What happens in the patch now, with whom. */
export function patchWords(call: CallView): string {
  const patch = call.patch;
  if (!patch) return '';
  const name = patch.contact?.name ?? (patch.came_from ? 'your other caller' : 'the number');
  const other = otherParty(call);
  if (callerGone(call)) {
    const now = patch.state === 'private' ? `${cap(name)} is on the line: say so.` : 'Give up the call.';
    return `${cap(other)} has hung up. ${now}`;
  }
  switch (patch.state) {
    case 'dialling':
      return `Dialling ${name}…${patch.cold ? ` Whoever answers is joined with ${other} at once.` : ''}`;
    case 'ringing':
      return `${cap(name)} is ringing.`;
    case 'asked':
      return `${cap(name)} is asked to take the call.`;
    case 'private':
      return `${cap(name)} is on the line: announce ${other}.`;
    case 'held':
      return `${cap(name)} waits with music: you and ${other} are alone.`;
    case 'joined':
      return call.colleague?.joined ? 'All four are joined.' : 'All three are joined.';
    case 'dropped':
      return patch.recalled ? 'They want an operator.' : 'You have dropped off.';
    case 'failed':
      return `${causeOf(cap(name), patch.why)}. You are back with ${other}.`;
  }
}

function cap(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
