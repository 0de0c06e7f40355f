// Walks every page there is under its own Content-Security-Policy, which the other scripts here bypass for their tap, and prints
// as a JSON array what broke it, what axe finds serious, and what does not fit a narrow window.
//
//   node pages.mjs BASE_URL MESSAGE      (MESSAGE: a message's id, whose page is looked at)

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { look } from './look.mjs';

const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const { chromium } = require('playwright-core');

const [base, message] = process.argv.slice(2);
const shots = process.env.CORDBOARD_SHOTS;
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
async function judge(name) {
  for (const line of await look(page, name, shots)) broken.push(`${name}: ${line}`);
}

await page.goto(base);
await page.waitForSelector('#login');
await judge('log-in');
await page.fill('#login', 'admin');
await page.fill('#password', 'cordboard-demo');
await page.click('button[type=submit]');
await page.waitForSelector('h1:has-text("Ready check")');
const BY_KEY = [
  ['Alt+1', 'desk', '.idle'],
  ['Alt+2', 'messages', 'tbody tr a'],
  ['Alt+3', 'board', 'h1:has-text("Dispatch board")'],
  ['Alt+4', 'ready', 'h1:has-text("Ready check")'],
  ['Alt+5', 'accounts', 'h1:has-text("Accounts")'],
  ['Alt+6', 'floor', 'h1:has-text("Floor")'],
  ['Alt+7', 'hung-up', 'h1:has-text("Callers who hung up")'],
  ['Alt+8', 'hand-over', 'h1:has-text("Hand-over")'],
  ['Alt+9', 'audit', 'tbody tr .number'],
];
for (const [key, name, there] of BY_KEY) {
  await page.keyboard.press(key);
  await page.waitForSelector(there);
  await judge(name);
}
for (const [key, name, there] of [['Control+k', 'search', '.search'], ['Control+/', 'keys', 'aside.keys']]) {
  await page.keyboard.press(key);
  await page.waitForSelector(there);
  await judge(name);
  await page.keyboard.press('Escape');
  await page.locator(there).waitFor({ state: 'detached' });
}
const BY_ADDRESS = [
  ['/accounts/acc_clinic', 'account', 'aside h1:has-text("Maple Street Clinic")'],
  ['/accounts/new', 'new-account', '#new-name'],
  ['/on_call', 'on-call', 'tbody tr a'],
  ['/on_call/acc_plumbing', 'on-call-calendar', '.row.final button'],
  ['/users', 'users', 'h1:has-text("Users")'],
  [`/messages/${message}`, 'message', '#taken-h'],
  ['/sandbox/', 'sandbox', '.caller button.call'],
  ['/inbox', 'inbox', 'main'],
];
for (const [path, name, there] of BY_ADDRESS) {
  await page.goto(`${base}${path}`);
  await page.waitForSelector(there);
  await judge(name);
}
console.log(JSON.stringify(broken));
await browser.close();
