// A session that is ended while the desk is open leads to the log-in page, also after a reload, and a log-in leads back. Against
// the console's stand-in; prints what did not come to pass, as a JSON array.
//
//   node session.mjs PORT      (PORT: free, for the stand-in)

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

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
});
const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage();
page.setDefaultTimeout(30_000);
const missing = [];
const comes = (what, selector) => page.waitForSelector(selector).catch(() => missing.push(what));
async function logIn() {
  await page.fill('#login', 'kim');
  await page.fill('#password', 'cordboard');
  await page.click('button[type=submit]');
}

await page.goto(base);
await logIn();
await comes('the desk', 'header nav');
await fetch(`${base}/mock/revoke`, { method: 'POST' });
await comes('the log-in page by itself', '.reason:has-text("Your session has ended")');
await page.reload();
await comes('the log-in page after a reload', '#login');
await logIn();
await comes('the desk again', 'header nav');
console.log(JSON.stringify(missing));
await browser.close();
standIn.kill();
