// An admin draws a menu of two keys on the console's own pages, saves it, and tries it out on their own telephone. Prints what
// was seen as one JSON object; progress goes to stderr.
//
//   node menu.mjs BASE_URL WORDS.wav SCRATCH_DIR

import { join } from 'node:path';
import { asAdmin } from './setup.mjs';

const [base, recorded, scratch] = process.argv.slice(2);

await asAdmin('menu', base, scratch, async ({ page, step, result, save }) => {
  const menu = page.locator('[data-menu="0"]');

  step('an admin opens the plumbing account');
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

  step('a number that is none is marked at its node and at its field');
  const seconds = menu.locator('[data-node="0"] label:has-text("Wait for a key")');
  await page.waitForFunction(() => !document.querySelector('[data-box="welcome"].wrong'));
  await seconds.locator('input').fill('');
  await menu.locator('[data-box="welcome"].wrong').waitFor();
  result.count = await seconds.locator('.fault').innerText();
  await seconds.locator('input').fill('0');
  await seconds.locator('.fault:has-text("no time to wait")').waitFor();
  await seconds.locator('input').fill('6');
  await page.waitForFunction(() => !document.querySelector('[data-box="welcome"].wrong'));

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
  // What was being written is unfolded.
  await menu.locator('[data-menu-name]').waitFor();
  result.now = await page.locator('#hours p.now').innerText();
  await page.focus('[data-flow="/hours/usual"]');
  await save('hours');
  const strip = page.locator('.undo:has-text("Hours and calls saved.")');
  await strip.waitFor();
  result.undo = await strip.innerText();
  await page.screenshot({ path: join(scratch, 'menu.png'), fullPage: true });

  step('what is written upon it is not saved, and nothing says that it is; a way of the account’s own for whom nobody takes');
  await page.locator('[data-flow="/hours/usual"]').selectOption('patch');
  await page.waitForSelector('#hours .mark');
  await strip.waitFor({ state: 'detached' });
  await page.locator('[data-flow-whom="/hours/usual"]').first().selectOption({ index: 1 });
  await page.locator('[data-flow-failed="/hours/usual"]').selectOption('voicemail');
  await page.fill('[data-max-secs="/hours/usual/failed"]', '1');
  result.failed = await page.locator('label:has([data-max-secs="/hours/usual/failed"]) .fault').innerText();
  await page.fill('[data-max-secs="/hours/usual/failed"]', '90');
  await page.check('[data-flow-own-words="/hours/usual"]');
  await page.fill('[data-speech="/hours/usual/speech"]', 'One moment, we ring the technician.');
  await page.waitForFunction(() => !document.querySelector('#hours .fault'));
  await page.screenshot({ path: join(scratch, 'patch-flow.png') });
  await page.click('#hours >> text=Discard');
});
