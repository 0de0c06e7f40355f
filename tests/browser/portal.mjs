// An office manager's phone: log-in, the night, a message, a number changed, a change proposed, an approval. Prints what was seen as one
// JSON object; progress goes to stderr.
//
//   node portal.mjs BASE_URL LOGIN PASSWORD SCRATCH_DIR      a word on stdin: `refused`

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [base, login, password, scratch] = process.argv.slice(2);
const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const began = Date.now();
const step = (words) => console.error(`${((Date.now() - began) / 1000).toFixed(1)} s  ${words}`);
const stdin = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const PHONE = { width: 360, height: 740 };

const result = { broken: [], axe: [], named: [] };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: PHONE, hasTouch: true, colorScheme: 'light' });
await context.exposeFunction('tellBroken', (what) => result.broken.push(what));
await context.addInitScript(() => {
  document.addEventListener('securitypolicyviolation', (event) => window.tellBroken(`${event.violatedDirective} ${event.blockedURI}`));
});
const page = await context.newPage();
page.setDefaultTimeout(30_000);
page.on('pageerror', (error) => result.broken.push(String(error)));

/** A picture in both schemes and two widths, with a look by axe, whether anything is wider than the page, and whether others are named. */
async function look(name) {
  for (const viewport of [PHONE, { width: 1280, height: 800 }]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(scratch, `portal-${name}-${viewport.width}-${colorScheme}.png`), fullPage: true });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }));
      result.axe.push(...violations.map((v) => `${name} ${viewport.width} ${colorScheme}: ${v.id} ${v.nodes.map((n) => n.target).join(' ')}`));
    }
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) result.axe.push(`${name} ${viewport.width}: wider than the page`);
  }
  const text = await page.locator('body').innerText();
  result.named.push(...['Maple', 'Osei', 'acc_clinic'].filter((word) => text.includes(word)));
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** By the menu to a page, which is there once its heading is and nothing is being fetched any more. */
async function go(label, heading) {
  await page.click(`nav >> text="${label}"`);
  await page.waitForSelector(`h1:has-text("${heading}")`);
  await page.waitForSelector('text=One moment…', { state: 'detached' });
}

try {
  step('a wrong password says so, the right one leads to the night');
  await page.goto(`${base}/portal`);
  await page.fill('#login', login);
  await page.fill('#password', 'not this one');
  await page.click('button:has-text("Log in")');
  result.wrong = await page.locator('[role=alert]:not(:empty)').innerText();
  await look('log-in');
  await page.fill('#password', password);
  await page.click('button:has-text("Log in")');
  await page.waitForSelector('h1:has-text("The night to")');
  result.address = page.url();
  await look('night');

  step('a message is found and read');
  await go('Messages', 'Messages');
  await page.fill('#q', 'Leak');
  await page.click('button:has-text("Find")');
  await page.waitForSelector('a.card');
  result.list = await page.locator('main').innerText();
  await look('messages');
  await page.click('a.card');
  await page.waitForSelector('article');
  result.message = await page.locator('main').innerText();
  await look('message');

  step('a number is changed once; whoever is used is not removed in silence');
  await go('People', 'People');
  const ben = page.locator('[data-contact="con_ben"]');
  await look('people');
  await ben.locator('button:has-text("Remove")').click();
  await page.waitForSelector('[data-remove] >> text=/Used in|is used nowhere/');
  result.uses = await page.locator('[data-remove]').innerText();
  await ben.locator('button:has-text("Change")').click();
  await page.fill('[data-address="0"]', '+1 202 555 0188');
  await look('person');
  // A field that is wrong is seen where the form jumps to it, not hidden by the head.
  const name = await page.inputValue('[data-name]');
  await page.fill('[data-name]', '');
  await page.click('button:has-text("Save")');
  result.hidden = await page.evaluate(() => {
    const [head, field] = ['header', '[data-name]'].map((what) => document.querySelector(what).getBoundingClientRect());
    return field.top < head.bottom;
  });
  await page.fill('[data-name]', name);
  await page.click('button:has-text("Save")');
  await page.waitForSelector('text=It counts from the next call');

  step('holidays and figures');
  await go('Holidays & greetings', 'Holidays');
  await page.click('text=Add a holiday');
  await page.fill('[data-holiday] input[placeholder]', 'Inventory');
  await page.fill('[data-holiday] input[type=date]', '2027-01-04');
  await look('settings');
  await page.click('[data-holiday] button:has-text("Save")');
  await page.waitForSelector('text=Inventory is saved.');
  await go('Figures', 'Figures');
  await page.waitForSelector('table');
  await look('figures');

  step('a change is proposed with what would be different');
  await go('What happens', 'What happens');
  await page.locator('button:has-text("Propose a change")').first().click();
  const wait = page.locator('[data-wait]').first();
  await wait.selectOption((await wait.inputValue()) === '3600' ? '1800' : '3600');
  await page.waitForSelector('.differences ins');
  await page.waitForSelector('[data-night="then"] li');
  await page.fill('[data-propose] textarea', 'Nobody waits that long.');
  await look('propose');
  await page.click('button:has-text("Propose it")');
  await page.waitForSelector('text=Sent to your answering service.');
  console.log(JSON.stringify({ proposed: true }));
  const { value } = await stdin.next();
  if (value !== 'refused') throw new Error(`refused was expected, not ${value}`);
  await page.reload();
  await page.waitForSelector('text=Not taken over by');
  result.refused = await page.locator('main').innerText();

  step('approvals, and who is on call');
  await go('Approvals', 'Approvals');
  await page.waitForSelector('[data-part]');
  await look('approvals');
  await page.click('[data-part="escalation"] [data-try]');
  await page.locator('[data-test-night] select').first().selectOption({ label: 'Urgent' });
  await page.locator('[data-test-night] [data-day]').selectOption({ label: 'Saturday' });
  await page.fill('[data-test-night] [data-time]', '02:00');
  await page.waitForSelector('[data-night="now"] li:has-text("Step 1: text")');
  result.night = await page.locator('[data-test-night]').innerText();
  await look('test-night');
  await page.click('nav >> text="On call"');
  await page.waitForSelector('h1:has-text("On call")');

  step("somebody else's account is not there");
  await page.goto(`${base}/portal/acc_clinic/night`);
  await page.waitForSelector('h1:has-text("The night to")');
  result.foreign = new URL(page.url()).pathname;
  await look('foreign');
  await page.click('text=Log out');
  await page.waitForSelector('#password');
  console.log(JSON.stringify(result));
} catch (error) {
  await page.screenshot({ path: join(scratch, 'portal-failed.png'), fullPage: true }).catch(() => undefined);
  console.error(String(error), result.broken.join('\n'));
  process.exitCode = 1;
} finally {
  await browser.close();
  process.exit();
}
