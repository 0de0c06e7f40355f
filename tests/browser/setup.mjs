// An admin in a browser, for the scripts that set accounts up on the console's own pages: progress goes to stderr, what was seen is
// printed as one JSON object.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(import.meta.dirname, '../../console/package.json'));
const { chromium } = require('playwright-core');

/**
 * Logs in and does `walk({ page, step, result, save })`; `save` presses Ctrl+Enter and waits until that part of the page is saved. A
 * walk that fails leaves a picture: `<name>-failed.png` in `scratch`.
 */
export async function asAdmin(name, base, scratch, walk) {
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
  // Svelte's own warnings, in a bundle, are addresses.
  page.on('console', (message) => message.text().includes('svelte.dev/e/') && broken.push(message.text()));
  const result = {};
  const save = async (id) => {
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction((which) => !document.querySelector(`section#${which}[data-dirty]`), id);
  };
  try {
    await page.goto(base);
    await page.fill('#login', 'admin');
    await page.fill('#password', 'cordboard-demo');
    await page.click('button[type=submit]');
    await page.waitForSelector('header nav >> text=Accounts');
    await page.keyboard.press('Alt+5');
    await walk({ page, step, result, save });
    result.broken = broken;
    console.log(JSON.stringify(result));
  } catch (error) {
    await page.screenshot({ path: join(scratch, `${name}-failed.png`), fullPage: true }).catch(() => undefined);
    console.error(String(error), broken.join('\n'));
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
