// A doctor's phone: the inbox is opened by an invitation and the PIN, wakes on a push, and a message is read, confirmed and
// answered in it. Prints what was seen as one JSON object; progress goes to stderr.
//
//   node inbox.mjs BASE_URL LINK PIN SCRATCH_DIR      a word on stdin: `revoked`

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { servePushes } from '../support/push_service.mjs';

const [base, link, pin, scratch] = process.argv.slice(2);
const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const began = Date.now();
const step = (words) => console.error(`${((Date.now() - began) / 1000).toFixed(1)} s  ${words}`);
const stdin = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async (word) => {
  const { value } = await stdin.next();
  if (value !== word) throw new Error(`${word} was expected, not ${value}`);
};

const result = { broken: [], axe: [] };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: 'light' });
await context.grantPermissions(['notifications'], { origin: base });
await context.exposeFunction('tellBroken', (what) => result.broken.push(what));
await context.addInitScript(() => {
  document.addEventListener('securitypolicyviolation', (event) => window.tellBroken(`${event.violatedDirective} ${event.blockedURI}`));
});
const page = await context.newPage();
page.setDefaultTimeout(30_000);
page.on('pageerror', (error) => result.broken.push(String(error)));

/** A picture in both schemes and two widths, with a look by axe, and whether anything is wider than the page. */
async function look(name) {
  for (const [width, height] of [[390, 844], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(scratch, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }));
      result.axe.push(...violations.map((v) => `${name} ${width} ${colorScheme}: ${v.id} ${v.nodes.map((n) => n.target).join(' ')}`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (wide) result.axe.push(`${name} ${width}: wider than the page`);
    }
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'light' });
}

let pushes;
try {
  step('without a link there is nothing to open');
  await page.goto(`${base}/inbox`);
  await page.waitForSelector('#link');
  await look('door');
  await page.fill('#link', 'https://elsewhere.example.com/');
  await page.click('text=Go on');
  result.noLink = await page.locator('#said').innerText();

  step('the link asks for the PIN, and a wrong one opens nothing');
  await page.fill('#link', link);
  await page.click('text=Go on');
  await page.waitForSelector('#pin');
  result.before = await page.locator('body').innerText();
  await look('pin');
  await page.fill('#pin', '9999');
  await page.keyboard.press('Enter');
  result.wrong = await page.locator('#said:not(:empty)').innerText();
  await page.fill('#pin', pin);
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=Nothing waits for you.');
  result.address = page.url();
  await look('empty');

  step('the manifest and the icons make it installable');
  const manifest = await (await fetch(new URL(await page.getAttribute('link[rel=manifest]', 'href'), base))).json();
  result.manifest = [manifest.display, manifest.start_url, manifest.scope];
  for (const icon of manifest.icons) {
    const got = await fetch(new URL(icon.src, base));
    if (!got.ok || got.headers.get('content-type') !== icon.type) result.broken.push(`${icon.src}: ${got.status}`);
  }

  step('the device subscribes; its push service is one of ours');
  const { push_key: key } = await page.evaluate(() => fetch('/api/v1/inbox').then((r) => r.json()));
  let came;
  const first = new Promise((resolve) => (came = resolve));
  pushes = await servePushes(key, (push) => came(push));
  result.subscribed = await page.evaluate(
    async ([kept, body]) => {
      const { token } = JSON.parse(sessionStorage.getItem(kept));
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await fetch('/api/v1/inbox/push', { method: 'PUT', headers, body })).status;
    },
    ['cordboard.inbox', JSON.stringify(pushes.subscriptions.busy)],
  );

  step('its browser makes the subscription anew, and the worker tells the service where pushes go now');
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  result.renewed = await worker.evaluate(async (subscription) => {
    const ask = self.fetch;
    const told = new Promise((resolve) => {
      self.fetch = async (...asked) => {
        const got = await ask.apply(self, asked);
        resolve(got.status);
        return got;
      };
    });
    const change = new ExtendableEvent('pushsubscriptionchange');
    change.newSubscription = { toJSON: () => subscription };
    self.dispatchEvent(change);
    const status = await told;
    self.fetch = ask;
    return status;
  }, pushes.subscriptions.taken);
  console.log(JSON.stringify({ ready: true }));

  const push = await first;
  step(`a push came: ${JSON.stringify(push)}`);
  result.payload = push.payload;
  const cdp = await context.newCDPSession(page);
  const registered = new Promise((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && resolve(registrations[0]));
  });
  await cdp.send('ServiceWorker.enable');
  const { registrationId, scopeURL } = await registered;
  result.scope = new URL(scopeURL).pathname;
  await cdp.send('ServiceWorker.deliverPushMessage', { origin: base, registrationId, data: push.payload });

  step('the worker shows that there is a message, and nothing of it; the open page shows it in the list');
  await page.waitForSelector('button.waits');
  const shown = () => page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration('/inbox');
    return (await registration.getNotifications()).map((n) => [n.title, n.body]);
  });
  for (let tries = 0; tries < 50 && !(result.notification = (await shown())[0]); tries += 1) await page.waitForTimeout(100);
  result.list = await page.locator('button.waits').innerText();
  await look('list');

  step('it is opened, which is a receipt');
  await page.click('button.waits');
  await page.waitForSelector('article');
  result.content = await page.locator('article').innerText();
  await look('message');

  step('confirmed, and answered');
  await page.click('text=Confirm: I am on it');
  await page.waitForSelector('[role=status]:has-text("You confirmed it")');
  await page.fill('#reply', 'On my way, ten minutes.');
  await page.click('form button:has-text("Send")');
  await page.waitForSelector('text=Sent. An operator will read it.');
  await look('confirmed');
  await page.click('text=All messages');
  await page.waitForSelector('text=Nothing waits for you.');

  step('a reload asks for nothing anew, locking does, and nothing is kept');
  await page.reload();
  await page.waitForSelector('text=Nothing waits for you.');
  result.reloaded = 'no PIN asked';

  step('an inbox that nobody touches locks itself, though its page goes on asking');
  await page.evaluate(() => {
    const real = Date.now;
    Date.now = () => real() + 11 * 60_000;
  });
  await page.waitForSelector('text=Nobody has touched the inbox');
  result.idle = await page.evaluate(() => [sessionStorage.length, document.body.innerText.includes('Maple')]);
  await page.reload();
  await page.fill('#pin', pin);
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=Nothing waits for you.');
  await page.click('text=Lock');
  await page.waitForSelector('#pin');
  result.kept = await page.evaluate(() => [sessionStorage.length, localStorage.length]);

  step('a device that is taken away is nobody\'s');
  console.log(JSON.stringify({ locked: true }));
  await told('revoked');
  await page.fill('#pin', pin);
  await page.keyboard.press('Enter');
  result.revoked = await page.locator('#said:not(:empty)').innerText();
  console.log(JSON.stringify(result));
} catch (error) {
  await page.screenshot({ path: join(scratch, 'inbox-failed.png'), fullPage: true }).catch(() => undefined);
  console.error(String(error), result.broken.join('\n'));
  process.exitCode = 1;
} finally {
  pushes?.close();
  await browser.close();
  process.exit();
}
