// Two browsers on the sandbox's page: one calls Ben, one answers Ben's phone. Prints what each heard as JSON.
//
//   node pair.mjs PAGE CALLER.wav STAFF.wav CALLER_HZ STAFF_HZ

import { createRequire } from 'node:module';
import { join } from 'node:path';

const here = import.meta.dirname;
const require = createRequire(join(here, '../../console/package.json'));
const { chromium } = require('playwright-core');

const [url, callerVoice, staffVoice, ...tones] = process.argv.slice(2);
const frequencies = tones.map(Number);

async function open(voice) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${voice}`,
      '--autoplay-policy=no-user-gesture-required',
      '--allow-loopback-in-peer-connection',
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => console.error(String(error)));
  await page.addInitScript({ path: join(here, '../browser/tap.js') });
  await page.goto(url);
  return { browser, page };
}

const caller = await open(callerVoice);
const staff = await open(staffVoice);
try {
  const ben = '[data-number="+12025550110"]';
  await caller.page.click('button.call');
  await staff.page.click(`${ben}.ringing button:has-text("Answer")`);
  await caller.page.waitForSelector('.caller .phone.talking');
  await staff.page.click(`${ben} .keys button:has-text("5")`);
  // Both handsets are up, and the key's 140 ms are over.
  await Promise.all([caller, staff].map(({ page }) => page.waitForSelector('.dot.up')));
  await caller.page.waitForTimeout(1_500);
  const levels = ({ page }) => page.evaluate(([f, s]) => window.__tap.levels(f, s), [frequencies, 5]);
  const [callerHeard, staffHeard] = await Promise.all([levels(caller), levels(staff)]);
  await caller.page.click('.caller button:has-text("Hang up")');
  await staff.page.waitForSelector(`${ben}.idle`);
  const last = await staff.page.textContent(`${ben} .last`);
  console.log(JSON.stringify({ caller: callerHeard, staff: staffHeard, last }));
} finally {
  await Promise.all([caller, staff].map(({ browser }) => browser.close()));
}
