// The supervisor's floor against the console's stand-in: whatever moves on it, the row that has the focus keeps it. Prints
// what lost it, as a JSON array.
//
//   node floor.mjs PORT      (PORT: free, for the stand-in)

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../console');
const require = createRequire(join(folder, 'package.json'));
const { chromium } = require('playwright-core');

const [port] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;
const standIn = spawn(process.execPath, [join(folder, 'mock/server.mjs')], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => standIn.kill());
await once(standIn.stdout, 'data');
const post = (path, body = {}) => fetch(`${base}/mock/${path}`, { method: 'POST', body: JSON.stringify(body) });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
});
const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 }, bypassCSP: true })).newPage();
page.setDefaultTimeout(30_000);
await page.goto(base);
await page.fill('#login', 'sam');
await page.fill('#password', 'cordboard');
await page.click('button[type=submit]');
await page.click('nav a:has-text("Floor")');
await post('floor');
const calls = await (await post('calls')).json();
const call = (id, more) => post('tell', { type: 'call', call: { ...calls.find((c) => c.id === id), ...more } });
const seat = (id, name, state) => post('tell', { type: 'seat', seat: { user: { id, name }, state, reason: null, since: Date.now(), calls: [] } });

const lost = [];
/** `focused` has the focus; then something happens, and `seen` shows that it has come to the page. */
async function keeps(what, focused, happens, seen) {
  await page.focus(focused);
  const call = await page.evaluate(() => document.activeElement.closest('.card').querySelector('.pick').dataset.call);
  await happens();
  await page.waitForFunction(seen);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const now = await page.evaluate(() => document.activeElement?.closest('.card')?.querySelector('.pick')?.dataset.call);
  if (now !== call) lost.push(what);
}
const order = (...names) => `[...document.querySelectorAll('.card .name')].map((n) => n.textContent).join() === '${names.join()}'`;

await page.waitForSelector('.pick[data-call="call_f1"]');
const [ANN, KIM, LEE] = ['Ann-Sophie Lindqvist', 'Kim Novak', 'Lee Okafor'];
await page.waitForFunction(order(ANN, KIM, LEE, 'John Doe'));
await keeps('the first row moves to the end', '.pick[data-call="call_f3"]', () => seat('usr_ann', 'Zoe Lindqvist', 'talking'), order(KIM, LEE, 'Zoe Lindqvist', 'John Doe'));
await keeps('the last row moves to the front', '.pick[data-call="call_f3"]', () => seat('usr_ann', ANN, 'talking'), order(ANN, KIM, LEE, 'John Doe'));
await keeps('a row between moves', '.pick[data-call="call_f1"]', () => seat('usr_kim', 'Zoe Novak', 'talking'), order(ANN, LEE, 'Zoe Novak', 'John Doe'));
await keeps('a button of a row that moves', '.card:has([data-call="call_f1"]) .modes button', () => seat('usr_kim', KIM, 'talking'), order(ANN, KIM, LEE, 'John Doe'));
await keeps(
  'a patch is left to itself',
  '.pick[data-call="call_f3"]',
  () => call('call_f3', { state: 'patched', patch: { state: 'dropped', contact: { id: 'con_p', name: 'Dr Patel' }, number: '+12025550162', since: Date.now() } }),
  `document.querySelector('h2 ~ ul .pick[data-call="call_f3"]') !== null`,
);
await page.focus('.pick[data-call="call_f1"]');
await page.keyboard.press('l');
await page.waitForSelector('.bar.monitor');
if ((await page.evaluate(() => document.activeElement?.dataset.call)) !== 'call_f1') lost.push('listening');
console.log(JSON.stringify(lost));
await browser.close();
standIn.kill();
