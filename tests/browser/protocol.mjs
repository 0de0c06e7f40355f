// An admin sees what a protocol would do before it is saved, saves it, compares it with the version before and brings that one back;
// then a message is printed, all of it. Prints what was seen as one JSON object; progress goes to stderr.
//
//   node protocol.mjs BASE_URL SCRATCH_DIR

import { join } from 'node:path';
import { asAdmin } from './setup.mjs';

const [base, scratch] = process.argv.slice(2);

/** A message taken by an operator, as the API takes it. */
async function take(details) {
  const post = async (path, body, token) => {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const response = await fetch(`${base}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const { access_token } = await post('/sessions', { login: 'kim', password: 'cordboard-demo' });
  const answers = { name: 'Ann Archer', callback: '+1 202 555 0190', address: '12 Elm Street', problem: 'Leak', message: details };
  const account = 'acc_plumbing';
  return (await post('/messages', { account, call_type: 'ct_plumbing-urgent', answers }, access_token)).id;
}

async function pagesOf(page) {
  const pdf = (await page.pdf({ format: 'Letter' })).toString('latin1');
  return pdf.match(/\/Type\s*\/Page[^s]/g)?.length ?? 0;
}

await asAdmin('protocol', base, scratch, async ({ page, step, result }) => {
  const editor = page.locator('section#protocol-editor');
  const seen = editor.locator('[data-simulation]');
  const lines = seen.locator('.lines li');

  step('the next version of the urgent protocol: what would happen on a Saturday at two');
  await page.click('text=Imaginary Plumbing');
  const article = page.locator('#protocols article').filter({ hasText: 'in force for Urgent' });
  await article.locator('text=Write the next version').click();
  await seen.locator('input[type=datetime-local]').fill('2026-03-07T02:00');
  await lines.filter({ hasText: '02:15:00' }).filter({ hasText: 'Step 2' }).waitFor();
  result.nobody = await seen.locator('.end').innerText();
  result.first = await lines.filter({ hasText: 'Step 1' }).first().innerText();
  await page.screenshot({ path: join(scratch, 'simulation.png'), fullPage: true });

  step('somebody confirms: chosen by keyboard');
  await seen.locator('label:has-text("People") select').focus();
  await page.keyboard.press('ArrowDown');
  await lines.filter({ hasText: 'confirmed by text' }).waitFor();
  result.confirmed = await seen.locator('.end').innerText();
  await page.keyboard.press('ArrowUp');

  step('another wait on the card is another time in what would happen');
  await editor.locator('.write li').first().locator('.wait select').last().selectOption({ label: '10 min' });
  await lines.filter({ hasText: '02:10:00' }).filter({ hasText: 'Step 2' }).waitFor();

  step('a step without anybody says so at its card, and nothing is seen');
  const card = editor.locator('.write li').first();
  const who = await card.locator('.who').innerText();
  await card.locator('.who button').click();
  await editor.locator('[data-step-fault="0"]').waitFor();
  result.fault = await editor.locator('[data-step-fault="0"]').innerText();
  await seen.locator('.end:has-text("Nothing to be seen yet")').waitFor();
  await editor.locator('[data-add-target="0"]').selectOption({ label: who.replace(/\s*✕\s*$/, '').trim() });
  await lines.filter({ hasText: '02:10:00' }).first().waitFor();
  await editor.locator('[data-step-fault="0"]').waitFor({ state: 'detached' });

  step('it is saved; the versions say who and what');
  await editor.locator('[data-add-target="0"]').focus();
  await page.keyboard.press('Control+Enter');
  await page.locator('#protocols article:has-text("version 2")').waitFor();
  await article.locator('button:has-text("Versions (2)")').click();
  const second = page.locator('[data-version="2"]');
  await second.waitFor();
  result.changes = await second.locator('.changes').innerText();
  result.author = await second.locator('header').innerText();

  step('the first is brought back');
  await page.locator('[data-version="1"]').locator('text=Bring it back').click();
  const third = page.locator('[data-version="3"]');
  await third.waitFor();
  result.back = await third.innerText();
  await third.locator('select').selectOption({ label: 'version 1' });
  await third.locator('text=They do the same.').waitFor();
  await page.screenshot({ path: join(scratch, 'versions.png'), fullPage: true });

  step('a new protocol begins with a template of the trade');
  await page.locator('#protocols >> text=Add a protocol').click();
  const picker = page.locator('[data-templates]');
  await picker.locator('select').first().selectOption('plumbing_urgent');
  result.player = await picker.locator('[data-part="technician"] option:checked').innerText();
  await picker.locator('text=Put these steps on the cards').click();
  await editor.locator('.write ol > li').nth(2).waitFor();
  result.named = await editor.locator('[data-protocol-name]').inputValue();
  await seen.locator('.lines .step').first().waitFor();
  await page.locator('#protocols >> text=Forget it').click();

  step('a message is printed: a short one on one page, a long one whole');
  const print = async (id) => {
    await page.goto(`${base}/messages/${id}`);
    await page.waitForSelector('#became-h');
    await page.locator('main time').first().waitFor();
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const pages = await pagesOf(page);
    const head = await page.locator('p.paper-only').innerText();
    const nav = await page.locator('header nav').isVisible();
    await page.emulateMedia({ media: null, colorScheme: null });
    return { pages, head, nav };
  };
  result.short = await print(await take('Water is coming through the ceiling.'));
  result.long = await print(await take(Array.from({ length: 120 }, (_, n) => `Line ${n + 1}.`).join('\n')));
});
