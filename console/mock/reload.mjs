// Nothing typed is lost: a reload in mid-word, a server that is away, a message taken back. Against the stand-in.
//
//   node mock/reload.mjs      (starts and stops its own stand-in)

import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const PORT = '8098';
const BASE = `http://127.0.0.1:${PORT}`;
const post = (path) => fetch(`${BASE}/mock/${path}`, { method: 'POST' });

async function serve() {
  const child = spawn('node', [join(import.meta.dirname, 'server.mjs')], { env: { ...process.env, PORT }, stdio: 'ignore' });
  for (let i = 0; i < 50; i++) {
    if (await fetch(BASE).catch(() => null)) return child;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('the stand-in did not start');
}

let server = await serve();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required'],
});
try {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.addInitScript(() => sessionStorage.setItem('cordboard.checked', '1'));
  await page.goto(BASE);
  await page.fill('#login', 'kim');
  await page.fill('#password', 'x');
  await page.click('button[type=submit]');
  await page.waitForSelector('header nav');
  await page.waitForTimeout(300);
  await post('ring');

  // The cursor waits in the form of a call that came to an idle desk.
  await page.waitForFunction(() => document.activeElement?.dataset.field === 'name');
  await page.keyboard.type('Anna Lindq');
  await page.reload();
  await page.waitForSelector('[data-field=name]');
  await page.waitForFunction(() => document.activeElement?.dataset.field === 'name');
  await page.keyboard.type('vist');
  assert.equal(await page.inputValue('[data-field=name]'), 'Anna Lindqvist');
  console.log('a reload in mid-word: the words and the cursor are back');

  // While she types, another call does not take her focus.
  await page.keyboard.type(' Berg');
  await post('ring?to=clinic');
  await page.waitForSelector('.incoming');
  await page.keyboard.type('man');
  assert.equal(await page.inputValue('[data-field=name]'), 'Anna Lindqvist Bergman');
  console.log('a call while she types: a strip, the focus stays');

  await page.fill('[data-field=callback]', '202 555 0187');
  await page.fill('[data-field=address]', '4 Elm Court');
  await page.selectOption('[data-field=problem]', 'Leak');

  server.kill('SIGKILL');
  await page.waitForSelector('.banner', { timeout: 15_000 });
  await page.focus('[data-field=message]');
  await page.keyboard.type('typed while the server was away');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('text=Not saved yet');
  console.log(`the server is away: ${(await page.locator('.banner').first().innerText()).split('\n')[0]}`);
  server = await serve();
  await page.waitForFunction(() => !document.querySelector('.banner'), undefined, { timeout: 20_000 });
  // The stand-in forgot the call; the form is a left-over one now and can still be saved.
  await page.click('text=form not saved yet');
  assert.equal(await page.inputValue('[data-field=message]'), 'typed while the server was away');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('.undo');
  console.log('the server is back: everything is still there and is saved');

  await page.keyboard.press('Alt+z');
  await page.waitForSelector('[data-field=message]');
  assert.equal(await page.inputValue('[data-field=message]'), 'typed while the server was away');
  assert.equal(await page.inputValue('[data-field=name]'), 'Anna Lindqvist Bergman');
  console.log('taken back: the form is open again as it was');
} finally {
  await browser.close();
  server.kill();
}
