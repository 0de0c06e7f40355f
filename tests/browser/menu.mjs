// An admin draws a menu of two keys on the console's own pages, saves it, and tries it out on their own telephone. Prints what
// was seen as one JSON object; progress goes to stderr.
//
//   node menu.mjs BASE_URL WORDS.wav SCRATCH_DIR

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const { chromium } = require('playwright-core');

const [base, recorded, scratch] = process.argv.slice(2);
const began = Date.now();
const step = (words) => console.error(`${((Date.now() - began) / 1000).toFixed(1)} s  ${words}`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection'],
});
const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, timezoneId: 'America/Chicago' });
const broken = [];
await context.exposeFunction('tellBroken', (what) => broken.push(what));
await context.addInitScript(() => {
  document.addEventListener('securitypolicyviolation', (event) => window.tellBroken(`${event.violatedDirective} ${event.blockedURI}`));
});
const page = await context.newPage();
page.setDefaultTimeout(30_000);
page.on('pageerror', (error) => broken.push(String(error)));
const result = {};
const menu = page.locator('[data-menu="0"]');
const save = async () => {
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => !document.querySelector('section#hours[data-dirty]'));
};

try {
  step('an admin opens the plumbing account');
  await page.goto(base);
  await page.fill('#login', 'admin');
  await page.fill('#password', 'cordboard-demo');
  await page.click('button[type=submit]');
  await page.waitForSelector('header nav >> text=Accounts');
  await page.keyboard.press('Alt+5');
  await page.click('text=Imaginary Plumbing');
  result.before = await page.locator('#hours p.now').innerText();

  step('a menu of two keys: what is missing is marked at its node');
  await page.click('#hours >> text=Add a menu');
  await menu.locator('[data-menu-name]').fill('night');
  await menu.locator('[data-speech="/menus/0/nodes/0/speech"]').fill('For an emergency, press 1. For our opening hours, press 2.');
  await menu.locator('[data-add-key]').click();
  await menu.locator('[data-about="1"]').fill('opening hours');
  await menu.locator('[data-box="welcome"].wrong').waitFor();
  result.marked = await menu.locator('[data-box="welcome"]').textContent();
  await menu.locator('[data-leads="0/choices/1/next"]').selectOption({ label: '＋ Way out' });
  await menu.locator('[data-box="opening hours"]').waitFor();

  step('its words are recorded');
  await menu.locator('[data-node="0"] input[type=file]').first().setInputFiles(recorded);
  await menu.locator('[data-node="0"] >> text=A recording of this account.').waitFor();

  step('by keyboard to the ways out: operators at once with the call type, and an announcement');
  await menu.locator('[data-box="emergency"]').focus();
  await page.keyboard.press('Enter');
  await menu.locator('[data-node-name="1"]:focus').waitFor();
  await menu.locator('[data-flow-type="/menus/0/nodes/1/flow"]').selectOption({ index: 1 });
  result.type = await menu.locator('[data-flow-type="/menus/0/nodes/1/flow"] option:checked').innerText();
  await menu.locator('[data-flow-priority="/menus/0/nodes/1/flow"]').fill('7');
  await menu.locator('[data-box="opening hours"]').focus();
  await page.keyboard.press('Space');
  await menu.locator('[data-flow="/menus/0/nodes/2/flow"]').selectOption('announcement');
  await menu.locator('[data-speech="/menus/0/nodes/2/flow/speech"]').fill('We open at eight.');
  await page.waitForFunction(() => !document.querySelector('[data-menu="0"] .box.wrong'));

  step('it is tried out before it is saved');
  await page.waitForSelector('[data-try]:not([disabled])');
  await menu.locator('[data-try]').click();
  await menu.locator('.words:has-text("At “welcome”")').waitFor();
  await menu.locator('[data-box="welcome"].here').waitFor();
  await page.keyboard.press('1');
  await menu.locator('.words:has-text("Here a caller goes to the operators")').waitFor();
  result.tried = await menu.locator('.words').innerText();
  await menu.locator('[data-box="emergency"].past').waitFor();
  await page.screenshot({ path: join(scratch, 'trial.png') });
  await menu.locator('.words:has-text("The call is over.")').waitFor();

  step('the menu is all day what comes after the greeting, once a page that was loaded anew has it still');
  await page.locator('[data-flow="/hours/usual"]').selectOption('menu');
  await page.reload();
  await page.waitForSelector('#hours .mark');
  await page.locator('#hours p.now:has-text("choose from the menu “night”")').waitFor();
  result.now = await page.locator('#hours p.now').innerText();
  await page.focus('[data-flow="/hours/usual"]');
  await save();
  const strip = page.locator('.undo:has-text("Hours and calls saved.")');
  await strip.waitFor();
  result.undo = await strip.innerText();
  await page.screenshot({ path: join(scratch, 'menu.png'), fullPage: true });
  result.broken = broken;
  console.log(JSON.stringify(result));
} catch (error) {
  await page.screenshot({ path: join(scratch, 'menu-failed.png'), fullPage: true }).catch(() => undefined);
  console.error(String(error), broken.join('\n'));
  process.exitCode = 1;
} finally {
  await browser.close();
}
