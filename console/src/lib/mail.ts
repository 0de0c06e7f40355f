// An account's own words for emails: how long they come to be, and which tags of a preview are shown.

/** About what mail programs show before they cut a mail (102 kB in the most used one). */
export const HTML_CUT = 100_000;

/** What a length means to whoever reads it. */
export function lengthNote(text: string, html: string | null): string {
  const count = text.length.toLocaleString('en');
  const words = `${count} characters of plain text`;
  if (html === null) return `${words}, not formatted.`;
  const octets = new TextEncoder().encode(html).length;
  const kilobytes = Math.max(1, Math.round(octets / 1000));
  const cut = octets > HTML_CUT ? ' Mail programs cut what is longer than about 100 kB.' : '';
  return `${words}, ${kilobytes} kB formatted.${cut}`;
}

const SHOWN = new Set([
  'a', 'abbr', 'address', 'article', 'b', 'blockquote', 'br', 'caption', 'code', 'div', 'dd', 'dl', 'dt', 'em', 'footer', 'h1', 'h2', 'h3', 'h4',
  'h5', 'h6', 'header', 'hr', 'i', 'li', 'main', 'ol', 'p', 'pre', 's', 'section', 'small', 'span', 'strong', 'sub', 'sup', 'table', 'tbody', 'td',
  'tfoot', 'th', 'thead', 'tr', 'u', 'ul',
]);
const GONE = new Set(['script', 'style', 'iframe', 'object', 'embed', 'link', 'meta', 'title', 'form', 'input', 'button', 'svg', 'math', 'template']);

/** What becomes of an element of a mail that is only looked at: kept, left out with all in it, or only what is in it is kept. */
export function fateOf(tag: string): 'keep' | 'drop' | 'open' {
  const name = tag.toLowerCase();
  if (SHOWN.has(name)) return 'keep';
  return GONE.has(name) ? 'drop' : 'open';
}

/**
 * The same mail with its styles put aside (`data-style`): to read it is to apply them, which the page's policy (style-src-attr) forbids and
 * reports, one by one. They are set by script afterwards.
 */
export function stylesAside(html: string): string {
  return html.replace(/<[^>]*>/g, (tag) => tag.replace(/(\s)style(\s*=)/gi, '$1data-style$2'));
}

/** A style may lay out, and fetch nothing. */
export function harmless(style: string): string {
  return style
    .split(';')
    .filter((rule) => !/url\s*\(|expression|@import|position\s*:\s*fixed/i.test(rule))
    .join(';');
}
