// Drives the real console in a headless Chromium for the tests in main.rs: one JSON line a command, one an answer.
//
//   node seat.mjs BASE_URL VOICE.wav SCRATCH_DIR
//
// The microphone plays VOICE; tap.js keeps what the headset plays.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { handsOn } from './hands.mjs';
import { axe, look } from './look.mjs';

const here = import.meta.dirname;
const require = createRequire(join(here, '../../console/package.json'));
const { chromium } = require('playwright-core');

const [base, voice, scratch] = process.argv.slice(2);
const PASSWORD = process.env.CORDBOARD_PASSWORD ?? 'cordboard-demo';
const PATIENCE_MS = 30_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${voice}`,
    '--autoplay-policy=no-user-gesture-required',
    // Without it a machine whose only address is loopback has no way for the call.
    '--allow-loopback-in-peer-connection',
    // Tests over https have an authority of their own.
    ...(base.startsWith('https:') ? ['--ignore-certificate-errors'] : []),
  ],
});
const context = await browser.newContext({
  viewport: { width: 1600, height: 900 },
  bypassCSP: true,
  ignoreHTTPSErrors: base.startsWith('https:'),
});
const page = await context.newPage();
page.setDefaultTimeout(PATIENCE_MS);
const said = [];
page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
page.on('pageerror', (error) => said.push(`error: ${error}`));
await page.addInitScript({ path: join(here, 'tap.js') });

/** The states of the desk's words, by the names of the API. */
const STATES = { talking: 'Talking', held: 'On hold', patching: 'Patching', conference: 'All three', wrap_up: 'Wrap-up', offered: 'Call offered' };

const commands = {
  async log_in({ login, password = PASSWORD }) {
    await page.goto(base);
    await page.fill('#login', login);
    await page.fill('#password', password);
    await page.click('button[type=submit]');
    await page.waitForSelector('header nav');
  },

  // The ready check as an operator does it.
  async get_ready() {
    await page.waitForSelector('h1:has-text("Ready check")');
    await page.click('text=Start the check');
    await page.click('text=Play the tone');
    await page.click('text=I hear it');
    const go = page.locator('text=Go to the desk, ready for calls');
    const failed = page.locator('ol li.fail .why');
    const there = page.locator('.state.ready, .state.talking, .state.offered');
    // A busy machine may keep the page from its heartbeat; then the server wants the test once more.
    for (let tries = 1; ; tries += 1) {
      await go.or(failed.first()).first().waitFor();
      if (!(await failed.count())) {
        const line = await page.locator('ol li').nth(2).locator('.why').textContent();
        await go.click();
        await there.or(failed.first()).first().waitFor();
        if (await there.count()) return line;
      }
      if (tries === 3) throw new Error(`the ready check failed: ${await failed.first().textContent()}`);
      await page.click('text=Test again');
      await page.waitForSelector('ol li:nth-child(3).busy');
    }
  },

  async expect_talking({ account }) {
    await page.waitForSelector(`.band:has-text("${account}") >> text=Talking`);
    return page.locator('.phrase').first().textContent();
  },

  async expect_state({ state }) {
    await page.waitForSelector(`.band .state:has-text("${STATES[state] ?? state}")`);
  },

  async press({ key }) {
    await page.keyboard.press(key);
  },

  async fill({ call_type, answers }) {
    if (call_type) await page.click(`.types label:has-text("${call_type}")`);
    for (const [name, answer] of Object.entries(answers)) {
      const field = page.locator(`[data-field="${name}"]`);
      if ((await field.evaluate((f) => f.tagName)) === 'SELECT') await field.selectOption(answer);
      else {
        await field.focus();
        await field.fill(answer);
      }
    }
  },

  async save() {
    await page.keyboard.press('Control+Enter');
    const faults = page.locator('.field .fault');
    const saved = page.locator('text=Message saved').first();
    await saved.or(faults.first()).first().waitFor();
    if (await faults.count()) throw new Error(`not saved: ${(await faults.allTextContents()).join(' ')}`);
  },

  async expect_dispatch({ text }) {
    const row = page.locator(`.bottom .row:has-text("${text}")`);
    await row.waitFor();
    return row.innerText();
  },

  // Routine ones are counted at the desk, and shown on the board.
  async expect_on_board({ text }) {
    await page.keyboard.press('Alt+3');
    await page.locator(`.row:has-text("${text}")`).first().waitFor();
    await page.keyboard.press('Alt+1');
  },

  // F8, the person on call comes first, Enter rings them.
  async patch({ to } = {}) {
    await page.keyboard.press('F8');
    await page.waitForSelector('#patch-list li');
    if (to) await page.keyboard.type(to);
    await page.keyboard.press('Enter');
    await page.waitForSelector('section.patch');
  },

  async expect_patch({ state }) {
    const found = page.locator(`section.patch.${state}`);
    // The console leaves a call whose operator has dropped off to the two who talk on.
    const left = page.locator('.wrap, .idle');
    await (state === 'dropped' ? found.or(left).first() : found).waitFor();
  },

  /** After dropping off: what the call was, and ready for the next. */
  async end_patched_call() {
    const patched = page.locator('.wrap button:has-text("Patched through")');
    if (await patched.count()) await patched.click();
  },

  async expect_ready() {
    await page.waitForSelector('.state.ready');
  },

  /** The supervisor's floor; the ready check of calls can wait. */
  async open_floor() {
    await page.click('nav a:has-text("Floor")');
    await page.waitForSelector('h1:has-text("Floor")');
    await page.waitForSelector('.net:not(:has-text("no phone"))');
  },

  /** Once: a key that does nothing is a fault. The row keeps the focus, for the keys that follow. */
  async listen({ account, key }) {
    await page.focus(`.pick:has-text("${account}")`);
    await page.keyboard.press(key);
    await page.locator('.bar').waitFor();
    const focused = await page.evaluate(() => document.activeElement?.textContent ?? '');
    if (!focused.includes(account)) throw new Error(`the focus has left ${account}`);
  },

  /** The strip that says in which mode one listens and who hears one. */
  async expect_listening({ mode, words }) {
    const ears = page.locator(`.bar.${mode} .ears:has-text("${words}")`);
    await ears.waitFor();
    return ears.innerText();
  },

  async expect_not_listening() {
    await page.locator('.bar').waitFor({ state: 'detached' });
  },

  /** Gives the caller to somebody by name; `first`: talks with them before. */
  async give({ to, first = false }) {
    await page.keyboard.press('Alt+g');
    await page.waitForSelector(`#pass-list li:has-text("${to}")`);
    await page.keyboard.type(to);
    await page.keyboard.press(first ? 'Shift+Enter' : 'Enter');
    await page.locator('#pass-list').waitFor({ state: 'detached' });
  },

  /** These words are on the page, wherever. */
  async expect_words({ words }) {
    await page.locator(`text=${words}`).first().waitFor();
  },

  async type({ words }) {
    await page.keyboard.type(words);
  },

  async open_message({ text }) {
    await page.keyboard.press('Alt+2');
    await page.locator(`tbody tr:has-text("${text}") a`).first().click();
    await page.waitForSelector('#taken-h');
  },

  /** The recording's picture: how many parts of each side are more than a line. Space plays it, End goes to its end. */
  async wave() {
    const picture = page.locator('.wave [role=slider]');
    const loud = (side) => picture.locator(`rect.${side}`).evaluateAll((all) => all.filter((bar) => bar.getAttribute('height') > 1).length);
    await picture.waitFor();
    const [caller, ours] = [await loud('caller'), await loud('ours')];
    await picture.focus();
    await page.keyboard.press('Space');
    await page.waitForFunction(() => document.querySelector('audio')?.currentTime > 0.2);
    await page.keyboard.press('Space');
    await page.waitForFunction(() => document.querySelector('audio').paused);
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.querySelector('.wave [role=slider]').getAttribute('aria-valuenow') === document.querySelector('.wave [role=slider]').getAttribute('aria-valuemax'));
    const seconds = await page.evaluate(() => document.querySelector('audio').duration);
    return { caller, ours, seconds };
  },

  async hang_up() {
    await page.keyboard.press('F10');
  },

  // The browser's page is gone from one moment to the next: no BYE, no closing frame of its own.
  async die() {
    await page.goto('chrome://crash').catch(() => {});
  },

  // The browser itself is gone, with all that it kept: another one knows what the server knows.
  async is_killed() {
    const debug = await browser.newBrowserCDPSession();
    const gone = new Promise((done) => browser.once('disconnected', done));
    debug.send('Browser.crash').catch(() => {});
    await gone;
  },

  async levels({ frequencies, seconds }) {
    return page.evaluate(([f, s]) => window.__tap.levels(f, s), [frequencies, seconds]);
  },

  async screenshot({ name, width = 1600, height = 900 }) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: join(scratch, `${name}.png`) });
  },

  /** What the page says in a banner at this moment; waits until it says something with these words. */
  async expect_banner({ words }) {
    const banner = page.locator(`.banner:has-text("${words}")`);
    await banner.waitFor();
    return banner.innerText();
  },

  async expect_no_banner() {
    await page.locator('.banner').waitFor({ state: 'detached' });
  },

  /** A field of the form is asked now. */
  async expect_field({ field }) {
    await page.locator(`[data-field="${field}"]`).waitFor();
  },

  /** What was typed into a field of the form. */
  async value({ field }) {
    return page.locator(`[data-field="${field}"]`).inputValue();
  },

  /** The way the newest call's sound goes at our end: kind of candidate, its address, and how the relay is spoken to. */
  async path() {
    return page.evaluate(() => window.__tap.path());
  },

  async expect_path({ address }) {
    await page.waitForFunction(async (wanted) => (await window.__tap.path())?.address === wanted, address);
  },

  /** The addresses that the server has offered for the newest call. */
  async offered() {
    return page.evaluate(() => window.__tap.offered());
  },

  /** Serious findings of axe on the page as it is. */
  async axe() {
    return axe(page);
  },

  /** All that is wrong with the looks of the page as it is; `CORDBOARD_SHOTS=FOLDER`: pictures of it are kept there. */
  async judge({ name }) {
    return look(page, name, process.env.CORDBOARD_SHOTS);
  },

  /** Something on the page that says these words; what it says whole. */
  async expect({ selector, words }) {
    const found = page.locator(selector, { hasText: words }).first();
    await found.waitFor();
    return found.innerText();
  },

  async expect_gone({ selector, words = '' }) {
    await page.locator(selector, { hasText: words }).first().waitFor({ state: 'detached' });
  },

  async text({ selector }) {
    return page.locator(selector).first().innerText();
  },

  async reload() {
    page.once('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await page.waitForSelector('header nav');
  },
};

Object.assign(commands, await handsOn(page, said, (frequencies, seconds) => commands.levels({ frequencies, seconds }), commands.screenshot));

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const { command, arguments: given } = JSON.parse(line);
  if (command === 'quit') break;
  let answer;
  try {
    if (!commands[command]) throw new Error('there is no such command');
    answer = { value: (await commands[command](given ?? {})) ?? null };
  } catch (error) {
    await page.screenshot({ path: join(scratch, `failed-${command}.png`) }).catch(() => undefined);
    answer = { error: `${String(error.message ?? error).split('\n')[0]} (page said: ${said.slice(-6).join(' | ') || 'nothing'})` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
// Whoever speaks to us keeps its end open, and would have to wait for ours.
process.exit(0);
