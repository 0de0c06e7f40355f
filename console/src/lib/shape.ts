// What shape an answer must have beside its kind. The server's rules (`domain/message/shape`), so that most faults show while
// she types; both are held against tests/shape-cases.json.

import type { FieldKind, Shape } from './types';

/** A fault by its stable code, or the answer as it is kept. */
export type Shaped = { kept: string } | { code: string; message: string };

type Place = { digit: true } | { letter: true } | { any: true } | { itself: string };

function places(pattern: string): Place[] {
  const chars = [...pattern];
  const found: Place[] = [];
  for (let n = 0; n < chars.length; n += 1) {
    const c = chars[n]!;
    if (c === '9') found.push({ digit: true });
    else if (c === 'A') found.push({ letter: true });
    else if (c === '*') found.push({ any: true });
    else if (c === '\\') found.push({ itself: chars[(n += 1)] ?? '\\' });
    else found.push({ itself: c });
  }
  return found;
}

/** The answer as the pattern writes it, or null. */
export function fit(pattern: string, answer: string): string | null {
  const rest = [...answer];
  let fitted = '';
  for (const place of places(pattern)) {
    const c = rest[0];
    const own = 'itself' in place ? place.itself : null;
    const takes =
      c !== undefined &&
      ('digit' in place ? /^[0-9]$/.test(c) : 'letter' in place ? /^\p{Alphabetic}$/u.test(c) : own === null || c.toLowerCase() === own.toLowerCase());
    if (takes) {
      fitted += own ?? c;
      rest.shift();
    } else if (own !== null && !/^[\p{Alphabetic}\p{N}]$/u.test(own)) {
      // Left out: it parts what is typed and says nothing.
      fitted += own;
    } else return null;
  }
  return rest.length === 0 ? fitted : null;
}

/** Exactly, as they are written: below 0, 0, above. */
function compareNumbers(a: string, b: string): number {
  const parts = (text: string) => {
    const minus = text.startsWith('-');
    const [whole = '', part = ''] = text.replace('-', '').split('.');
    const [w, p] = [whole.replace(/^0+/, ''), part.replace(/0+$/, '')];
    return { minus: minus && w + p !== '', w, p };
  };
  const [x, y] = [parts(a), parts(b)];
  const less = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
  const size = x.w.length - y.w.length || less(x.w, y.w) || less(x.p, y.p);
  if (x.minus !== y.minus) return x.minus ? -1 : 1;
  return x.minus ? -size : size;
}

function compare(kind: FieldKind['kind'], a: string, b: string): number {
  return kind === 'number' ? compareNumbers(a, b) : a < b ? -1 : a > b ? 1 : 0;
}

/** `answer`: as its kind has taken it. */
export function shaped(kind: FieldKind['kind'], shape: Shape | undefined, answer: string): Shaped {
  if (!shape) return { kept: answer };
  const length = [...answer].length;
  const like = shape.example ? `, like ${shape.example}` : '';
  if (shape.min_length != null && length < shape.min_length) return { code: 'too_short', message: `Too short: ${shape.min_length} characters at least${like}.` };
  if (shape.max_length != null && length > shape.max_length) return { code: 'too_long', message: `Too long: ${shape.max_length} characters at most${like}.` };
  const clock = kind === 'date' || kind === 'time';
  if (shape.min != null && compare(kind, answer, shape.min) < 0) {
    return clock ? { code: 'too_early', message: `Too early: ${shape.min} or more.` } : { code: 'too_small', message: `Too small: ${shape.min} or more.` };
  }
  if (shape.max != null && compare(kind, answer, shape.max) > 0) {
    return clock ? { code: 'too_late', message: `Too late: ${shape.max} at most.` } : { code: 'too_large', message: `Too large: ${shape.max} at most.` };
  }
  const patterns = shape.patterns ?? [];
  if (patterns.length === 0) return { kept: answer };
  for (const pattern of patterns) {
    const fitted = fit(pattern, answer);
    if (fitted !== null) return { kept: fitted };
  }
  return { code: 'pattern', message: `Not as it should look: like ${shape.example ?? patterns.join(' or ')}.` };
}

/** What is asked, for the operator, where no example says it: "3 to 5 characters", "1 to 20". */
export function hint(kind: FieldKind['kind'], shape: Shape | undefined): string {
  if (!shape) return '';
  if (shape.example) return `like ${shape.example}`;
  if (shape.patterns?.length) return `like ${shape.patterns.join(' or ')}`;
  const between = (least: string | number | null | undefined, most: string | number | null | undefined, unit: string) =>
    least != null && most != null ? `${least} to ${most}${unit}` : least != null ? `${least}${unit} at least` : most != null ? `${most}${unit} at most` : '';
  return between(shape.min, shape.max, '') || between(shape.min_length, shape.max_length, ' characters');
}

/** Without what is empty; undefined where nothing is left of it. */
export function tidiedShape(shape: Shape | undefined): Shape | undefined {
  if (!shape) return undefined;
  const tidy: Shape = {};
  if (shape.min_length != null) tidy.min_length = shape.min_length;
  if (shape.max_length != null) tidy.max_length = shape.max_length;
  if (shape.min?.trim()) tidy.min = shape.min.trim();
  if (shape.max?.trim()) tidy.max = shape.max.trim();
  const patterns = (shape.patterns ?? []).map((p) => p.trim()).filter(Boolean);
  if (patterns.length > 0) tidy.patterns = patterns;
  if (shape.example?.trim()) tidy.example = shape.example.trim();
  return Object.keys(tidy).length > 0 ? tidy : undefined;
}
