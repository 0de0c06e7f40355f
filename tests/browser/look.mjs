// What is wrong with a page as one sees it: what axe finds serious, in the light scheme and, as to colours, in the dark one;
// what does not fit a window of 800 px, and a top bar of two lines. Works on pages under their own Content-Security-Policy.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const WIDE = { width: 1600, height: 900 };
const NARROW = { width: 800, height: 900 };
/** What an operator's screen is at least, and what many are. */
const USUAL = [1280, 1440];

const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Serious findings of axe on the page as it is; by the debugger, as the page's policy lets no script in. */
export async function axe(page, options = {}) {
  const debug = await page.context().newCDPSession(page);
  const ask = async (expression) => (await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  await ask(`(() => { if (!window.axe) { ${AXE} } })()`);
  const found = await ask(`axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...options })}).then((all) => all.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))`);
  await debug.detach();
  if (!Array.isArray(found)) throw new Error('axe gave no answer');
  return found;
}

/** Runs in the page: what is wider than the place it has, and what one presses or reads beyond the window's edge. */
function overflows() {
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? `#${e.id}` : ''}${[...e.classList].map((c) => `.${c}`).join('')}`;
  const scrolls = (e) => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} px wide`);
  for (const e of document.querySelectorAll('body *')) {
    // The pages' names run in a strip of their own.
    if (e.closest('nav, svg, .unseen') || ['TEXTAREA', 'SELECT', 'INPUT'].includes(e.tagName)) continue;
    if (scrolls(e) && e.scrollWidth > e.clientWidth + 1) found.push(`${name(e)} has ${e.scrollWidth} px in ${e.clientWidth}`);
  }
  for (const e of document.querySelectorAll('button, input, select, textarea, a, h1, h2, label')) {
    const box = e.getBoundingClientRect();
    if (box.width > 0 && box.right > innerWidth + 1 && !e.closest('nav, .unseen')) found.push(`${name(e)} “${e.textContent.trim().slice(0, 30)}” ends at ${Math.round(box.right)} px`);
  }
  return found;
}

/** Runs in the page: how high the desk's top bar is beyond one line, though the seat's state be long. */
function barBreaks() {
  const words = document.querySelector('header .seat .words');
  const text = words?.firstChild;
  if (!text) return [];
  const [was, header] = [text.nodeValue, words.closest('header')];
  const before = header.offsetHeight;
  text.nodeValue = 'Not ready: the console was gone for a while';
  const after = header.offsetHeight;
  text.nodeValue = was;
  return after > 50 || after !== before ? [`the top bar is ${before} px high, ${after} px with a long state`] : [];
}

/** All of it. `shots`: where pictures of both widths go, by this name. */
export async function look(page, name, shots) {
  const shoot = (suffix) => shots && page.screenshot({ path: join(shots, `${name}${suffix}.png`) });
  await page.setViewportSize(WIDE);
  await drawn(page);
  await shoot('');
  const found = await axe(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await drawn(page);
  for (const line of await axe(page, { runOnly: ['color-contrast'] })) found.push(`dark: ${line}`);
  await shoot('-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of USUAL) {
    await page.setViewportSize({ width, height: 900 });
    await drawn(page);
    for (const line of await page.evaluate(barBreaks)) found.push(`at ${width} px: ${line}`);
  }
  await page.setViewportSize(NARROW);
  await drawn(page);
  for (const line of await page.evaluate(overflows)) found.push(`at ${NARROW.width} px: ${line}`);
  await shoot('-narrow');
  await page.setViewportSize(WIDE);
  return found;
}
