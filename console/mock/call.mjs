// The softphone alone, against the stand-in: registers with its token, answers a call that asks for it, waits for F2
// on one that does not, sends and receives sound, hangs up. The far end is a second browser page.
//
//   node mock/server.mjs & node mock/call.mjs

import { strict as assert } from 'node:assert';
import { chromium } from 'playwright-core';

const BASE = process.env.BASE ?? 'http://127.0.0.1:8099';
const post = async (path, body) => {
  const response = await fetch(`${BASE}/mock/${path}`, { method: 'POST', body: body ? JSON.stringify(body) : undefined });
  return response.status === 200 ? response.json() : null;
};

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection'],
});

/** The far end: offers PCMU, speaks a 440 Hz tone, measures what it hears. */
async function farEnd() {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${BASE}/cordboard.svg`);
  await page.evaluate(async () => {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const out = audio.createMediaStreamDestination();
    tone.frequency.value = 440;
    tone.connect(out);
    tone.start();
    const pc = new RTCPeerConnection();
    window.pc = pc;
    const sender = pc.addTransceiver(out.stream.getAudioTracks()[0], { direction: 'sendrecv' });
    const codecs = RTCRtpReceiver.getCapabilities('audio').codecs;
    sender.setCodecPreferences(codecs.filter((c) => /PCMU|PCMA|telephone-event/i.test(c.mimeType)));
    await pc.setLocalDescription();
    await new Promise((done) => {
      if (pc.iceGatheringState === 'complete') done();
      pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
    });
  });
  return page;
}

const packets = (page) =>
  page.evaluate(async () => {
    let n = 0;
    (await window.pc.getStats()).forEach((s) => s.type === 'inbound-rtp' && (n = s.packetsReceived));
    return n;
  });

await post('reset');
const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage();
page.on('pageerror', (e) => console.log(`page: ${e}`));
await page.addInitScript(() => sessionStorage.setItem('cordboard.checked', String(Date.now())));
await page.goto(BASE);
await page.fill('#login', 'kim');
await page.fill('#password', 'x');
await page.click('button[type=submit]');
await page.waitForFunction(() => /idle|good/.test(document.querySelector('.net')?.textContent ?? ''));
const { seen } = await post('phone');
assert.ok(seen.some((m) => m.first.startsWith('REGISTER') && m.authorization === 'Bearer mock'), 'registered with the token');
console.log('registered with its token');

for (const auto of [true, false]) {
  const far = await farEnd();
  await post(auto ? 'ring' : 'ring?offered');
  const id = await page.evaluate(() => fetch('/api/v1/calls').then((r) => r.json()).then((l) => l.items.at(-1).id));
  const started = Date.now();
  const ringing = post('invite', { call: id, sdp: await far.evaluate(() => window.pc.localDescription.sdp), auto });
  if (!auto) {
    await page.waitForTimeout(600);
    await page.keyboard.press('F2');
  }
  const answer = await ringing;
  assert.ok(answer.sdp, `answered: ${answer.refused}`);
  console.log(`${auto ? 'answered by itself' : 'answered by F2'} after ${Date.now() - started} ms`);
  await far.evaluate((sdp) => window.pc.setRemoteDescription({ type: 'answer', sdp }), answer.sdp);
  await page.waitForFunction(() => /good/.test(document.querySelector('.net')?.textContent ?? ''), undefined, { timeout: 10_000 });
  console.log(`the light is ${await page.locator('.net').innerText()}; ${await page.locator('.net').getAttribute('title')}`);
  await page.waitForTimeout(1_000);
  const n = await packets(far);
  assert.ok(n > 40, `the far end hears the microphone: ${n} packets`);
  console.log(`the far end got ${n} packets`);
  if (auto) {
    await page.keyboard.press('Alt+m');
    await page.waitForSelector('.is-muted');
    await page.keyboard.press('Alt+m');
  }
  await post(`bye?call=${answer.call}`);
  await page.waitForFunction(() => !/good/.test(document.querySelector('.net')?.textContent ?? ''));
  console.log('gone after BYE');
  await page.evaluate((call) => fetch(`/api/v1/calls/${call}/wrap_up_done`, { method: 'POST', body: '{}' }), id);
  await far.close();
}

// A second tab of the same browser must not take the telephone.
const second = await page.context().newPage();
await second.goto(BASE);
await second.waitForSelector('text=The desk is open in another tab');
console.log('a second tab says so');
await second.close();

// Every key that the desk uses reaches the page.
const keys = ['F2', 'F4', 'F8', 'F9', 'F10', 'Shift+F8', 'Shift+F9', 'Control+Enter', 'Control+k', 'Control+/', 'Control+ArrowDown', 'Alt+m', 'Alt+r', 'Alt+q', 'Alt+z', 'Alt+i', 'Alt+t', 'Alt+1'];
await page.evaluate(() => {
  window.prevented = {};
  addEventListener('keydown', (e) => (window.prevented[e.key] = e.defaultPrevented));
});
for (const key of keys) await page.keyboard.press(key);
const prevented = await page.evaluate(() => window.prevented);
for (const key of ['F2', 'F4', 'F8', 'F9', 'F10']) assert.equal(prevented[key], true, `${key} is ours`);
console.log('the keys reach the page and the browser lets them be');
await browser.close();
