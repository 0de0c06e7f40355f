// An admin makes an account from nothing on the console's own pages, and prints what was seen as one JSON object; progress
// goes to stderr.
//
//   node account.mjs BASE_URL GREETING.wav SCRATCH_DIR

import { join } from 'node:path';
import { asAdmin } from './setup.mjs';

const [base, greeting, scratch] = process.argv.slice(2);

await asAdmin('account', base, scratch, async ({ page, step, result, save }) => {
  const part = (id) => page.locator(`section#${id}`);

  step('an admin makes an account; a bad number is told beside its field');
  await page.click('text=New account');
  await page.fill('#new-name', 'Acme Heating');
  await page.fill('#new-did', '12');
  await page.keyboard.press('Control+Enter');
  result.fault = await page.locator('label:has(#new-did) .fault').innerText();
  await page.fill('#new-did', '+1 202 555 0102');
  await page.keyboard.press('Control+Enter');
  result.taken = await page.locator('label:has(#new-did) .fault:has-text("belongs")').innerText();
  await page.fill('#new-did', '+1 202 555 0150');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('aside h1:has-text("Acme Heating")');
  result.spoken = await page.locator('[data-speech="/greeting"]').inputValue();

  step('a contact');
  await page.click('text=Add a contact');
  const contact = part('contact-new');
  await contact.locator('[data-contact-name]').fill('Dana Reyes');
  await contact.locator('label:has-text("Called") input').fill('email');
  await contact.locator('select').selectOption('email');
  await contact.locator('[data-address="0"]').fill('dana@example.com');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('#contacts .who:has-text("Dana Reyes")');

  step('a call type with a form, which survives a page that is loaded anew before it was saved');
  await page.click('text=Add a call type');
  await page.fill('[data-type-name="0"]', 'Repair');
  await page.click('#call-types >> text=Add a field');
  await page.fill('[data-field-label="3"]', 'Kind of boiler');
  await page.reload();
  await page.waitForSelector('#call-types .mark');
  await page.click('#call-types .fold');
  result.kept = await page.inputValue('[data-field-label="3"]');
  await page.focus('[data-type-name="0"]');
  await save('call-types');

  step('an email protocol, read in plain English before it is saved');
  await page.click('text=Add a protocol');
  const editor = part('protocol-editor');
  await editor.locator('[data-protocol-name]').fill('Repairs');
  await editor.locator('[data-add-target="0"]').selectOption({ label: 'Dana Reyes, email' });
  await editor.locator('label:has-text("Repair") input[type=checkbox]').check();
  const line = editor.locator('.reads li >> text=Email Dana Reyes');
  await line.waitFor();
  result.reads = await line.innerText();
  await editor.locator('[data-protocol-name]').focus();
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('#protocols article:has-text("in force for Repair")');

  step('a greeting is uploaded, listened to, and saved');
  await part('greetings').locator('input[type=file]').first().setInputFiles(greeting);
  await part('greetings').locator('text=A recording of this account.').first().waitFor();
  await part('greetings').locator('fieldset').first().locator('button:has-text("Listen")').click();
  const audio = part('greetings').locator('audio');
  await audio.waitFor();
  await page.waitForFunction(() => document.querySelector('#greetings audio')?.duration > 0);
  result.seconds = await audio.evaluate((a) => a.duration);
  await part('greetings').locator('h2').click();
  await save('greetings');
  // Offered once the account was read anew; until then the save before may still be.
  const strip = page.locator('.undo:has-text("Greetings saved.")');
  await strip.waitFor();
  result.undo = await strip.innerText();
  await page.screenshot({ path: join(scratch, 'account.png'), fullPage: true });
});
