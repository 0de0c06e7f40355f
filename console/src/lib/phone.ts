// Telephone numbers for the eye, and the check made while one is typed. The server has the last word.

/** `+12025550102` as `+1 202 555 0102`; other countries in groups from the right. */
export function showNumber(number: string | null | undefined): string {
  if (!number) return 'no caller ID';
  const nanp = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (nanp) return `+1 ${nanp[1]} ${nanp[2]} ${nanp[3]}`;
  const short = number.slice(1);
  return EMERGENCY.has(short) ? short : number;
}

/** These are the digits of a number, as far as they are typed, and no name. */
export function looksDialled(text: string): boolean {
  return /^\s*\+?[\d\s\-.()\u00a0]+$/.test(text) && text.replace(/\D/g, '').length >= 3;
}

/** Emergency numbers of the world. The server refuses them aloud, unless a trunk is registered for them. */
const EMERGENCY = new Set(
  '911 112 999 000 110 111 118 119 117 100 101 102 103 104 105 106 107 108 113 114 115 116 120 122 123 190 191 192 193 194 195 933 995'.split(' '),
);

/** Where calls cost what the called one asks: as the server's trunks deny them unless they are set up otherwise. */
const PREMIUM = /^\+(1900|1\d{3}976|449|49900|49137|3389|979)/;

/** What to say beside a number before anybody relies on it. */
export function premiumNote(text: string): string {
  const number = readNumber(text);
  return number !== null && PREMIUM.test(number) ? 'A premium-rate number: trunks do not dial it unless they are set up to.' : '';
}

/** A number as people write it, as E.164; null if it is not complete. Mirrors the server's reading. */
export function readNumber(text: string): string | null {
  const trimmed = text.trim();
  if (!/^\+?[\d\s\-.()\u00a0]+$/.test(trimmed)) return null;
  const digits = trimmed.replace(/\D/g, '');
  if (EMERGENCY.has(digits)) return `+${digits}`;
  let e164: string;
  if (trimmed.startsWith('+')) e164 = digits;
  else if (digits.startsWith('011')) e164 = digits.slice(3);
  else if (digits.startsWith('00')) e164 = digits.slice(2);
  else if (digits.length === 10) e164 = `1${digits}`;
  else if (digits.length === 11 && digits.startsWith('1')) e164 = digits;
  else return null;
  if (e164.length < 3 || e164.length > 15 || e164.startsWith('0')) return null;
  return `+${e164}`;
}
