// A text waits for its answer; an admin drags the shift to somebody else on the calendar, takes that back, drags it again, and the
// next step of the dispatch goes to them. Then the same calendar by keys, narrow, and for everybody. Prints what was seen as one JSON
// object; progress goes to stderr.
//
//   node calendar.mjs BASE_URL SCRATCH_DIR

import { join } from 'node:path';
import { axe } from './look.mjs';
import { asAdmin } from './setup.mjs';

const [base, scratch] = process.argv.slice(2);
const PEOPLE = { 'Ben Ortiz': 'con_ben', 'Maya Lindqvist': 'con_maya' };

async function ask(method, path, body, token) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(`${base}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return text && JSON.parse(text);
}

await asAdmin('calendar', base, scratch, async ({ page, step, result }) => {
  const { access_token: kim } = await ask('POST', '/sessions', { login: 'kim', password: 'cordboard-demo' });
  const answers = { name: 'Ann Archer', callback: '+1 202 555 0190', address: '12 Elm Street', problem: 'Leak' };
  const saved = await ask('POST', '/messages', { account: 'acc_plumbing', call_type: 'ct_plumbing-urgent', answers }, kim);
  const dispatch = async () => (await ask('GET', `/messages/${saved.id}`, undefined, kim)).dispatch;
  async function told(words) {
    for (let tries = 0; tries < 600; tries += 1) {
      if (JSON.stringify((await dispatch()).timeline).includes(words)) return;
      await page.waitForTimeout(100);
    }
    throw new Error(`never told: ${words}: ${JSON.stringify((await dispatch()).timeline)}`);
  }
  const [duty] = (await ask('GET', '/accounts/acc_plumbing/on_call', undefined, kim)).items;
  const first = duty.people[0].name;
  const other = Object.keys(PEOPLE).find((name) => name !== first);
  Object.assign(result, { first, other });
  await told(`Text sent to ${first}, accepted.`);

  step('the list of who is on call, and from it the calendar');
  await page.keyboard.press('Alt+/');
  await page.waitForSelector('h1:has-text("On call now")');
  result.row = await page.locator('tr:has-text("Imaginary Plumbing")').innerText();
  await page.click('tr a:has-text("Imaginary Plumbing")');
  const now = page.locator('ul[aria-label="On call now"] li').first();
  // Not who comes after them.
  const onDuty = (name) => now.locator('.who').filter({ hasText: name }).waitFor();
  await onDuty(first);
  result.now = await now.innerText();
  await page.click('.views button:has-text("Day")');
  await page.waitForSelector('.views button[aria-pressed=true]:has-text("Day")');

  async function drag() {
    const line = page.locator('.row.final .now');
    await line.waitFor({ state: 'attached' });
    const track = await page.locator('.row.final .track').boundingBox();
    const at = await line.boundingBox();
    const to = await page.locator(`.row.person[data-person="${PEOPLE[other]}"] .track`).boundingBox();
    // Beside the line of this moment, within the shift that is on.
    const x = at.x + 4 < track.x + track.width ? at.x + 4 : at.x - 4;
    await page.mouse.move(x, track.y + track.height / 2);
    await page.mouse.down();
    await page.mouse.move(x + 2, to.y + to.height / 2, { steps: 8 });
    await page.waitForSelector('.row.person.target');
    result.inHand = await page.locator('.telling').innerText();
    await page.mouse.up();
    await page.locator(`.undo:has-text("${other}")`).waitFor();
    await onDuty(other);
  }

  step('the shift is dragged onto the line of the other, and that is taken back');
  await drag();
  result.strip = await page.locator('.undo').innerText();
  await page.keyboard.press('Control+z');
  await onDuty(first);
  await page.locator('.undo').waitFor({ state: 'detached' });

  step('dragged again, the next step goes to them');
  await drag();
  result.after = await now.innerText();
  await page.screenshot({ path: join(scratch, 'calendar.png'), fullPage: true });
  await ask('POST', `/dispatches/${(await dispatch()).id}/skip`, undefined, kim);
  await told(`Calling ${other} (mobile)`);
  result.called = !JSON.stringify((await dispatch()).timeline).includes(`Calling ${first} (`);

  step('by keys: Enter opens a shift, Escape closes it, Delete takes the override out');
  const shift = page.locator('button.span.override').first();
  await shift.focus();
  await page.keyboard.press('Enter');
  result.opened = await page.locator('section[aria-label="This shift"]').innerText();
  await page.locator('.undo').waitFor();
  // What was changed can still be taken back, and says so beside the shift's own buttons, not over them.
  result.covered = await page.evaluate(() =>
    [...document.querySelectorAll('section[aria-label="This shift"] button')]
      .filter((button) => {
        const box = button.getBoundingClientRect();
        const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return there !== null && !button.contains(there);
      })
      .map((button) => button.textContent.trim()),
  );
  await page.keyboard.press('Escape');
  await page.locator('section[aria-label="This shift"]').waitFor({ state: 'detached' });
  await page.locator('button.span.override').first().focus();
  await page.keyboard.press('Delete');
  await onDuty(first);

  step('the editor shows the weeks to come before anything is saved');
  await page.click('text=Change the schedule of the technician');
  await page.waitForSelector('[data-preview] .bit');
  result.reads = await page.locator('#schedule-editor .says').innerText();

  step('what is written and not saved is open again after a reload, and says so');
  await page.fill('#schedule-editor [data-role]', 'technician on duty');
  await page.reload();
  await page.locator('#schedule-editor[data-dirty]').waitFor();
  result.kept = await page.inputValue('#schedule-editor [data-role]');
  await page.locator('text=what you wrote is not saved yet').first().waitFor();
  await page.click('#schedule-editor button:has-text("Discard")');
  await page.locator('#schedule-editor[data-dirty]').waitFor({ state: 'detached' });
  await page.click('.views button:has-text("Day")');
  await page.waitForSelector('.views button[aria-pressed=true]:has-text("Day")');

  result.axe = await axe(page);
  step('on a telephone nothing is cut off');
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForFunction(() => innerWidth === 360);
  result.wide = await page.evaluate(() => document.querySelector('main').scrollWidth);
  result.window = await page.evaluate(() => document.documentElement.scrollWidth);
  // In the day's view the shifts stand one below the other, each within the window.
  await page.waitForSelector('[data-day-list] button');
  result.list = await page.locator('[data-day-list] button').first().innerText();
  result.cut = await page.evaluate(() => [...document.querySelectorAll('main button, main input, main [data-day-list] span')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.textContent.trim().slice(0, 40)));
  await page.locator('[data-day-list] button').first().click();
  await page.waitForSelector('section[aria-label="This shift"]');
  result.axe_narrow = await axe(page);
  step('and wide again the line of hours is there');
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.waitForSelector('.row.final .track');
});
