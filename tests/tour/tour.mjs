// The tour of the demo in two headless Chromiums: the sandbox's page, where one person is the caller and the on-call
// staff, and the desk. Prints what was seen and heard as one JSON object; progress goes to stderr.
//
//   node tour.mjs BASE_URL SANDBOX.wav SANDBOX_HZ DESK.wav DESK_HZ SCRATCH_DIR

import { createRequire } from 'node:module';
import { join } from 'node:path';

const here = import.meta.dirname;
const require = createRequire(join(here, '../../console/package.json'));
const { chromium } = require('playwright-core');

const [base, sandboxVoice, sandboxHz, deskVoice, deskHz, scratch] = process.argv.slice(2);
const frequencies = [Number(sandboxHz), Number(deskHz)];
const PATIENCE_MS = 30_000;
const began = Date.now();
const step = (words) => console.error(`${((Date.now() - began) / 1000).toFixed(1)} s  ${words}`);

const faults = [];
async function open(name, voice) {
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
  // The tap's worklet is a blob, which the console's policy rightly forbids.
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, bypassCSP: true });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => faults.push(`${name}: ${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${name}: ${message.text()}`);
  });
  await page.addInitScript({ path: join(here, '../browser/tap.js') });
  // A tone without an end is a machine's: whoever listens to a call that is read out has to be silent.
  await page.addInitScript(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const tracks = [];
    const hush = () => tracks.forEach((track) => (track.enabled = !window.__hushed));
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      tracks.push(...stream.getAudioTracks());
      hush();
      return stream;
    };
    window.__hush = () => {
      window.__hushed = true;
      hush();
    };
  });
  return { name, browser, page };
}

const [sandbox, desk] = await Promise.all([open('sandbox', sandboxVoice), open('desk', deskVoice)]);
const s = sandbox.page;
const d = desk.page;
// Two seconds, after one in which the handset goes over and the line comes up.
const levels = async (page) => (await page.evaluate(([f]) => window.__tap.levels(f, 3), [frequencies])).slice(10);
const result = { heard: {}, said: {} };

/** Calls the plumber from the page and waits until the operator talks. */
async function call() {
  await s.click('.caller button.call:has-text("Imaginary Plumbing")');
  await d.waitForSelector('.band:has-text("Imaginary Plumbing") .state:has-text("Talking")');
}

/** Fills in the urgent form. */
async function fill(name, problem) {
  await d.fill('[data-field="name"]', name);
  await d.fill('[data-field="callback"]', '+1 202 555 0190');
  await d.fill('[data-field="address"]', '5 Elm');
  await d.selectOption('[data-field="problem"]', problem);
}

async function save() {
  await d.keyboard.press('Control+Enter');
  await d.waitForSelector('text=Message saved');
}

/** What the call was is the likely one; the seat is ready again. */
async function wrapUp() {
  await d.waitForSelector('.wrap');
  await d.keyboard.press('Control+ArrowDown');
  await d.waitForSelector('.idle');
}

const row = (name) => d.locator(`.bottom .row:has-text("${name}")`);
const done = (id) => s.waitForSelector(`.guide li[data-step="${id}"].done`);

try {
  step('the page, the desk, the ready check');
  await s.goto(`${base}/sandbox/`);
  await s.waitForSelector('.phones');
  await d.goto(base);
  await d.fill('#login', 'kim');
  await d.fill('#password', 'cordboard-demo');
  await d.click('button[type=submit]');
  await d.click('text=Start the check');
  await d.click('text=Play the tone');
  await d.click('text=I hear it');
  await d.click('text=Go to the desk, ready for calls');
  await d.waitForSelector('.state.ready');
  await s.click('text=Pick up the handset');
  await s.waitForSelector('.dot.up');
  await done('handset');

  step('a call, and both hear');
  await call();
  await done('dial');
  [result.heard.caller, result.heard.operator] = await Promise.all([levels(s), levels(d)]);

  step('hold, and back');
  await d.keyboard.press('F4');
  await d.waitForSelector('.band .state:has-text("On hold")');
  await d.keyboard.press('F4');
  await d.waitForSelector('.band .state:has-text("Talking")');

  step('a patch: the phone rings on the page, private, joined, dropped off');
  await d.keyboard.press('F8');
  await d.waitForSelector('#patch-list li');
  await d.keyboard.press('Enter');
  const ringing = s.locator('.staff .phone.ringing');
  const technician = await ringing.getAttribute('data-number');
  const phone = `[data-number="${technician}"]`;
  await s.click(`${phone} button:has-text("Answer")`);
  await d.waitForSelector('section.patch.private');
  // The handset went over to the phone that was answered.
  await s.waitForSelector(`${phone}.held`);
  [result.heard.technician, result.heard.operator_in_private] = await Promise.all([levels(s), levels(d)]);
  await done('answer');
  await d.keyboard.press('F9');
  await d.waitForSelector('section.patch.joined');
  await d.keyboard.press('Shift+F9');
  await d.waitForSelector('.wrap:has-text("The two talk on")');
  await fill('Ann Archer', 'Broken pipe');
  await save();
  result.said.alone = await s.locator('.phone.talking').count();
  await s.click(`${phone} button:has-text("Hang up")`);
  await done('part');
  await wrapUp();

  // The ten seconds in which a message can be taken back pass while the next call rings.
  step('a second call; the first one ended as put through');
  await call();
  await row('Ann Archer').locator('text=Put through to').waitFor();
  result.said.patched = await row('Ann Archer').innerText();
  await fill('Bob Burst', 'Broken pipe');
  await save();
  step('a second message on the same call; hung up');
  await d.click('text=Take another message on this call');
  await fill('Cy Flood', 'Leak');
  await save();
  await d.keyboard.press('F10');

  step('the first text is replied to with its code');
  // The technician may have changed since the patch, at 8 in the morning of the client: whoever has the text replies.
  const told = (name) => s.locator(`.staff .phone:has(.texts li p:has-text("${name}"))`).getAttribute('data-number');
  const bobs = `[data-number="${await told('Bob Burst')}"]`;
  const text = await s.locator(`${bobs} .texts li p:has-text("Bob Burst")`).innerText();
  await s.fill(`${bobs} input[aria-label="Reply by text"]`, /Reply (\d+ok) to confirm/.exec(text)?.[1] ?? 'no code');
  await s.click(`${bobs} button:has-text("Send")`);
  await row('Bob Burst').locator('text=Confirmed by').waitFor();
  result.said.confirmed = await row('Bob Burst').innerText();
  await done('reply');

  step('nobody answers the second: skip, and the phone rings with it');
  await told('Cy Flood');
  // What can be done about it, and its time line, are shown once it is opened.
  await row('Cy Flood').locator('button.main').click();
  await row('Cy Flood').locator('button:has-text("Skip")').click();
  await s.evaluate(() => window.__hush());
  const cys = `[data-number="${await s.locator('.staff .phone.ringing').getAttribute('data-number')}"]`;
  await s.click(`${cys} button:has-text("Answer")`);
  await row('Cy Flood').locator('text=answered').waitFor();
  await s.click(`${cys} .keys button:has-text("1")`);
  step('the voice reads the message');
  await row('Cy Flood').locator('text=heard the message').waitFor({ timeout: 60_000 });
  await s.click(`${cys} .keys button:has-text("1")`);
  await row('Cy Flood').locator('text=Confirmed by').waitFor();
  result.said.called = await row('Cy Flood').innerText();
  result.said.timeline = await d.locator('.bottom .more li').allInnerTexts();
  await s.waitForSelector(`${cys}.idle`);
  result.said.texts = await s.locator('.staff .phone .texts li p').allInnerTexts();
  result.undone = await s.locator('.guide li:not(.done)').allInnerTexts();
  result.faults = faults;
  step('done');
  console.log(JSON.stringify(result));
} catch (error) {
  await Promise.all([sandbox, desk].map(({ name, page }) => page.screenshot({ path: join(scratch, `failed-${name}.png`) }).catch(() => undefined)));
  console.error(`${String(error.message ?? error).split('\n')[0]}\nthe desk: ${await d.locator('body').innerText().catch(() => '?')}`);
  console.error(`the pages said: ${faults.join(' | ') || 'nothing'}`);
  process.exitCode = 1;
} finally {
  await Promise.all([sandbox, desk].map(({ browser }) => browser.close()));
}
