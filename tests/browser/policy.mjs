// Walks the console's and the sandbox's pages under their own Content-Security-Policy, which the other scripts
// here bypass for their tap, and prints what broke it as a JSON array.
//
//   node policy.mjs BASE_URL

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const { chromium } = require('playwright-core');

const [base] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
});
const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
const broken = [];
await context.exposeFunction('tellBroken', (what) => broken.push(what));
await context.addInitScript(() => {
  document.addEventListener('securitypolicyviolation', (event) =>
    window.tellBroken(`${location.pathname}: ${event.violatedDirective} ${event.blockedURI}`),
  );
});
const page = await context.newPage();
page.setDefaultTimeout(30_000);
await page.goto(base);
await page.fill('#login', 'kim');
await page.fill('#password', 'cordboard-demo');
await page.click('button[type=submit]');
await page.waitForSelector('h1:has-text("Ready check")');
for (const [key, title] of [['Alt+1', 'Desk'], ['Alt+2', 'Messages'], ['Alt+3', 'Dispatch'], ['Alt+4', 'Ready check']]) {
  await page.keyboard.press(key);
  await page.waitForFunction((words) => document.title.includes(words) || document.body.innerText.includes(words), title);
}
for (const overlay of ['Control+k', 'Control+/']) {
  await page.keyboard.press(overlay);
  await page.waitForTimeout(300);
  await page.keyboard.press('Escape');
}
await page.goto(`${base}/sandbox/`);
await page.waitForSelector('.caller button.call');
await page.waitForTimeout(500);
console.log(JSON.stringify(broken));
await browser.close();
