// Pictures of the console against the stand-in, in both schemes and three widths, and a look by axe at each.
//
//   node mock/server.mjs & node mock/shots.mjs [folder] [name-filter]

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const BASE = process.env.BASE ?? 'http://127.0.0.1:8099';
const folder = process.argv[2] ?? '/tmp/cordboard-shots';
const only = process.argv[3] ?? '';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(folder, { recursive: true });

const mock = (path) => fetch(`${BASE}/mock/${path}`, { method: 'POST' });

async function logIn(page, login = 'kim') {
  await page.goto(BASE);
  await page.fill('#login', login);
  await page.fill('#password', 'cordboard');
  await page.click('button[type=submit]');
  await page.waitForSelector('header nav');
}

// Each scene starts at the desk, ready, with nothing on the line.
const SCENES = {
  login: null,
  ready: async (page) => {
    await page.goto(`${BASE}/ready`);
    await page.waitForSelector('text=Ready check');
  },
  idle: async () => {},
  hung_up: async (page) => {
    await page.goto(`${BASE}/hung_up`);
    await page.waitForSelector('tbody tr.on');
  },
  seat_menu: async (page) => {
    await page.keyboard.press('Alt+s');
    await page.waitForSelector('.seat .menu');
  },
  call: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.fill('[data-field=name]', 'Anna Lindqvist');
    await page.fill('[data-field=callback]', '555 0187');
    await page.focus('[data-field=message]');
    await page.keyboard.type('Water is coming through the kitchen ceiling, main valve not found.');
    await page.waitForTimeout(300);
  },
  typing: async (page) => {
    await SCENES.call(page);
    await mock('ring?to=clinic');
    await page.waitForSelector('.incoming');
  },
  why: async (page) => {
    await SCENES.call(page);
    await mock('why');
    await page.waitForSelector('.incoming .why');
  },
  why_head: async (page) => {
    await mock('why');
    await page.waitForSelector('.head .why');
  },
  faq: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.keyboard.press('Alt+l');
    await page.waitForSelector('[data-faq]:focus');
    await page.keyboard.type('sunday');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.answer');
  },
  to_check_in: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.keyboard.press('Alt+0');
    await page.waitForSelector('#check-in-list li');
  },
  faults: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.fault');
  },
  picker: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.keyboard.press('F8');
    await page.waitForSelector('#patch-list li');
  },
  private: async (page) => {
    await SCENES.picker(page);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.patch.private', { timeout: 5_000 });
  },
  joined: async (page) => {
    await SCENES.private(page);
    await page.keyboard.press('F9');
    await page.waitForSelector('.patch.joined');
  },
  held_contact: async (page) => {
    await SCENES.joined(page);
    await page.keyboard.press('Alt+b');
    await page.waitForSelector('.patch.held');
  },
  four: async (page) => {
    await SCENES.joined(page);
    await page.keyboard.press('Alt+g');
    await page.waitForSelector('#pass-list li');
    await page.keyboard.press('Shift+Enter');
    await page.waitForSelector('.consult .primary');
    await page.keyboard.press('Alt+c');
    await page.waitForSelector('text=all hear each other');
  },
  dropped: async (page) => {
    await SCENES.joined(page);
    await page.keyboard.press('Shift+F9');
    await page.waitForSelector('.patch.dropped');
  },
  saved: async (page) => {
    await SCENES.call(page);
    await page.fill('[data-field=callback]', '202 555 0187');
    await page.fill('[data-field=address]', '4 Elm Court');
    await page.selectOption('[data-field=problem]', 'Leak');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.undo');
  },
  wrapup: async (page) => {
    await SCENES.saved(page);
    await page.keyboard.press('F10');
    await page.waitForSelector('.wrap');
  },
  messages: async (page) => {
    await page.keyboard.press('Alt+2');
    await page.waitForSelector('tbody td');
  },
  message: async (page) => {
    await page.goto(`${BASE}/messages/msg_dsp_1`);
    await page.waitForSelector('dl');
  },
  board: async (page) => {
    await page.keyboard.press('Alt+3');
    await page.waitForSelector('.row');
    await page.click('.row .main >> nth=0');
    await page.click('text=Confirm… >> nth=1');
  },
  accounts: async (page) => {
    await page.keyboard.press('Alt+5');
    await page.waitForSelector('tbody td');
  },
  account: async (page) => {
    await page.goto(`${BASE}/accounts/acc_plumbing`);
    await page.waitForSelector('#handling');
  },
  account_number: async (page) => {
    await SCENES.account(page);
    await page.fill('[data-did="0"]', '+1 202 555 0104');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('#numbers .fault');
  },
  account_form: async (page) => {
    await SCENES.account(page);
    await page.click('#call-types .fold >> nth=0');
    await page.fill('[data-type-name="0"]', 'Emergency');
    await page.evaluate(() => document.querySelector('#call-types').scrollIntoView());
  },
  account_protocol: async (page) => {
    await SCENES.account(page);
    await page.click('text=Write the next version >> nth=0');
    await page.waitForSelector('.reads li');
    await page.evaluate(() => document.querySelector('#protocols').scrollIntoView());
  },
  account_recap: async (page) => {
    await SCENES.account(page);
    await page.locator('#recap').scrollIntoViewIfNeeded();
    await page.click('[data-add-time]');
  },
  account_contact: async (page) => {
    await SCENES.account(page);
    await page.click('#contacts >> text=Edit >> nth=1');
    await page.evaluate(() => document.querySelector('#contacts').scrollIntoView());
  },
  account_check_in: async (page) => {
    await SCENES.account(page);
    await page.click('#check-in >> text=Set a PIN… >> nth=0');
    await page.fill('[data-pin]', '1234');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#check-in .fault');
    await page.evaluate(() => document.querySelector('#check-in').scrollIntoView());
  },
  account_hold: async (page) => {
    await SCENES.account_protocol(page);
    await page.selectOption('[aria-label="How step 1 reaches people"]', 'hold_for_check_in');
    await page.waitForSelector('input[type=time]');
  },
  held: async (page) => {
    await SCENES.call(page);
    await page.keyboard.press('Alt+h');
    await page.waitForSelector('[data-read-to]');
  },
  held_changed: async (page) => {
    await SCENES.held(page);
    await mock('changed?message=msg_dsp_5');
    await page.waitForSelector('[data-held] .changed');
  },
  account_hours: async (page) => {
    await SCENES.account(page);
    await page.waitForSelector('#hours p.now');
    await page.evaluate(() => document.querySelector('#hours').scrollIntoView());
  },
  account_days: async (page) => {
    await SCENES.account_hours(page);
    await page.evaluate(() => document.querySelector('[data-holiday]').scrollIntoView());
  },
  account_menu: async (page) => {
    await SCENES.account_hours(page);
    await page.click('[data-menu="0"] .fold');
    await page.focus('[data-box=ask]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-node-name="1"]:focus');
    await page.evaluate(() => document.querySelector('#menus').scrollIntoView());
  },
  account_menu_wrong: async (page) => {
    await SCENES.account_menu(page);
    await page.click('[data-add-key]');
    await page.waitForSelector('.box.wrong');
    await page.evaluate(() => document.querySelector('#menus').scrollIntoView());
  },
  account_trial: async (page) => {
    await SCENES.account_menu(page);
    await page.click('[data-try]');
    await page.waitForSelector('.words:has-text("as Urgent")');
    await page.evaluate(() => document.querySelector('#menus').scrollIntoView());
  },
  account_handling: async (page) => {
    await SCENES.account(page);
    await page.evaluate(() => document.querySelector('#handling').scrollIntoView());
  },
  account_new: async (page) => {
    await page.goto(`${BASE}/accounts/new`);
    await page.waitForSelector('#new-name');
  },
  audit: async (page) => {
    await page.goto(`${BASE}/audit`);
    await page.waitForSelector('tbody tr:nth-child(4)');
  },
  audit_message: async (page) => {
    await page.goto(`${BASE}/messages`);
    await page.click('tbody tr a');
    await page.click('.read-by button');
    await page.waitForSelector('.read-by li');
    await page.locator('.read-by').scrollIntoViewIfNeeded();
  },
  on_call: async (page) => {
    await page.goto(`${BASE}/on_call`);
    await page.waitForSelector('tbody tr a');
  },
  on_call_week: async (page) => {
    await page.goto(`${BASE}/on_call/acc_plumbing`);
    await page.waitForSelector('.row.final button');
  },
  on_call_shift: async (page) => {
    await SCENES.on_call_week(page);
    await page.locator('.row.final button.override').first().click();
    await page.waitForSelector('section[aria-label="This shift"]');
  },
  on_call_month: async (page) => {
    await SCENES.on_call_week(page);
    await page.click('.views button:has-text("Month")');
    await page.waitForSelector('.palette');
  },
  on_call_editor: async (page) => {
    await SCENES.on_call_week(page);
    await page.click('text=Change the schedule of the');
    await page.waitForSelector('[data-preview] .bit');
  },
  users: async (page) => {
    await page.goto(`${BASE}/users`);
    await page.waitForSelector('tbody strong');
    await page.click('text=Add a user');
  },
  floor: async (page) => {
    await mock('floor');
    await page.keyboard.press('Alt+6');
    await page.waitForSelector('.pick');
  },
  whispering: async (page) => {
    await SCENES.floor(page);
    await page.focus('[data-call=call_f1]');
    await page.keyboard.press('w');
    await page.waitForSelector('.bar.whisper');
  },
  several: async (page) => {
    await SCENES.call(page);
    await mock('waiting?to=clinic');
    await page.waitForSelector('.waiting');
    await page.keyboard.press('F2');
    await page.waitForSelector('.band:has-text("Clinic")');
    await page.waitForTimeout(200);
  },
  waiting: async (page) => {
    await SCENES.call(page);
    await mock('waiting?to=clinic');
    await page.waitForSelector('.waiting');
  },
  otherheld: async (page) => {
    await SCENES.several(page);
    await page.keyboard.press('Control+ArrowDown');
    await page.waitForSelector('.speaking');
  },
  parked: async (page) => {
    await SCENES.call(page);
    await mock('parked?to=clinic&ago=75');
    await mock('parked?ago=12');
    await page.waitForSelector('#parked-h');
  },
  gone: async (page) => {
    await SCENES.several(page);
    await mock('hangup?state=held');
    await page.waitForSelector('.gone');
  },
  pass: async (page) => {
    await SCENES.call(page);
    await page.keyboard.press('Alt+g');
    await page.waitForSelector('#pass-list li');
  },
  consult: async (page) => {
    await SCENES.pass(page);
    await page.keyboard.press('Shift+Enter');
    await page.waitForSelector('.consult .primary');
  },
  job_offered: async (page) => {
    await mock('job');
    await page.waitForSelector('.whom');
  },
  job_strip: async (page) => {
    await SCENES.call(page);
    await mock('job');
    await page.waitForSelector('.incoming');
  },
  job_talking: async (page) => {
    await mock('job?at=talking');
    await page.waitForSelector('.came button');
    await page.waitForSelector('dl dd');
  },
  job_busy: async (page) => {
    await mock('job?at=wrap_up&cause=busy&down=1');
    await page.waitForSelector('.came .primary');
  },
  job_said: async (page) => {
    await SCENES.job_talking(page);
    await page.keyboard.press('1');
    await page.waitForSelector('.came [role=status]');
  },
  rings_back_changed: async (page) => {
    await SCENES.rings_back(page);
    await mock('changed?message=msg_dsp_3');
    await page.waitForSelector('.back .changed');
  },
  rings_back: async (page) => {
    await mock('rings_back');
    await page.waitForSelector('.back dl dd');
  },
  dial_out: async (page) => {
    await page.keyboard.press('Alt+o');
    await page.waitForSelector('#dial-list li');
  },
  dial_whom: async (page) => {
    await SCENES.dial_out(page);
    await page.keyboard.type('plumb');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#patch-list li');
  },
  dialled: async (page) => {
    await mock('dialled');
    await page.waitForSelector('.back');
  },
  rename: async (page) => {
    await SCENES.call(page);
    await page.keyboard.press('Alt+a');
    await page.waitForSelector('#account-list li');
  },
  renamed: async (page) => {
    await SCENES.rename(page);
    await page.keyboard.type('clinic');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.band:has-text("Clinic")');
  },
  keypad: async (page) => {
    await SCENES.call(page);
    await page.keyboard.press('Alt+k');
    await page.waitForSelector('.pad');
    await page.keyboard.type('42#');
    await page.waitForTimeout(200);
  },
  suggested: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.click('.types label:has-text("Routine")');
    await page.fill('[data-field=name]', 'Anna Lindqvist');
    await page.fill('[data-field=message]', 'The ceiling is leaking since noon.');
    await page.waitForSelector('.note.met');
  },
  lowered: async (page) => {
    await SCENES.suggested(page);
    await page.fill('[data-field=callback]', '202 555 0187');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('[data-field=reason][aria-invalid=true]');
  },
  card: async (page) => {
    await mock('ring');
    await page.waitForSelector('[data-field=name]');
    await page.selectOption('[data-field=problem]', 'Leak');
    await page.waitForSelector('[data-field=valve]');
    await page.click('.recording button:has-text("Record")');
    await page.focus('[data-field=card]');
    await page.waitForSelector('.silent');
  },
  handover: async (page) => {
    await page.keyboard.press('Alt+8');
    await page.waitForSelector('main section');
  },
  message_change: async (page) => {
    await SCENES.message(page);
    await page.click('.change');
    await page.waitForSelector('[data-change]');
  },
  message_changed: async (page) => {
    await SCENES.message_change(page);
    await page.fill('[data-change=name]', 'Walter Kemp');
    await page.selectOption('[data-change=problem]', 'No hot water');
    await page.click('text=Save and send again');
    await page.waitForSelector('.changed');
    await page.waitForSelector('text=Editions');
  },
  without_call: async (page) => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('message for imaginary plumb');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-field=caller]');
    await page.waitForTimeout(200);
  },
  status_board: async (page) => {
    await mock('ring');
    await page.waitForSelector('text=Put a line up');
    await page.click('text=Put a line up');
  },
  account_triggers: async (page) => {
    await SCENES.account_form(page);
    await page.click('[aria-label^="When Main valve"]');
    await page.evaluate(() => document.querySelector('[data-trigger-words]').scrollIntoView());
  },
  keys: async (page) => {
    await page.keyboard.press('Control+/');
    await page.waitForSelector('.keys');
  },
};

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required'],
});
let faults = 0;
for (const [width, height] of [
  [1600, 900],
  [1280, 800],
  [800, 900],
]) {
  for (const scheme of ['light', 'dark']) {
    for (const [name, scene] of Object.entries(SCENES)) {
      if (only && !name.includes(only)) continue;
      // The narrow and the dark of every scene would be too many to look at.
      if (width !== 1600 && !['idle', 'call', 'private', 'four', 'board', 'hung_up', 'messages', 'accounts', 'ready', 'account', 'account_form', 'account_protocol', 'account_hours', 'account_menu', 'account_trial', 'floor', 'whispering', 'several', 'otherheld', 'parked', 'job_talking', 'rings_back', 'rings_back_changed', 'held', 'held_changed', 'account_check_in', 'handover', 'card', 'message_changed', 'why', 'faq', 'audit', 'on_call', 'on_call_week', 'on_call_editor'].includes(name)) continue;
      await mock('reset');
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, timezoneId: 'America/New_York', reducedMotion: 'reduce' });
      const page = await context.newPage();
      page.on('console', (m) => m.type() === 'error' && !m.text().includes('/sip') && console.log(`  ${name}: ${m.text()}`));
      page.on('pageerror', (e) => console.log(`  ${name}: ${e}`));
      try {
        if (scene) {
          await page.addInitScript(() => sessionStorage.setItem('cordboard.checked', String(Date.now())));
          const who = /^account|^users|^audit|^on_call/.test(name) ? 'ada' : ['floor', 'whispering'].includes(name) ? 'sam' : 'kim';
          await logIn(page, who);
          await page.evaluate(() => fetch('/api/v1/seat', { method: 'PUT', body: '{"state":"ready"}' }));
          await page.waitForTimeout(250);
          await scene(page);
        } else {
          await page.goto(BASE);
          await page.waitForSelector('#login');
        }
        await page.waitForTimeout(250);
        await page.screenshot({ path: `${folder}/${name}-${width}-${scheme}.png` });
        await page.evaluate(axe);
        const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
        for (const v of found.violations) {
          if (v.impact === 'serious' || v.impact === 'critical') faults++;
          console.log(`  axe ${name} ${width} ${scheme}: ${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')} ${v.nodes[0]?.any[0]?.message ?? ''}`);
        }
      } catch (error) {
        faults++;
        console.log(`  ${name} ${width} ${scheme} failed: ${String(error).split('\n')[0]}`);
        await page.screenshot({ path: `${folder}/${name}-${width}-${scheme}-failed.png` });
      }
      await context.close();
    }
  }
}
await browser.close();
console.log(faults ? `${faults} serious findings` : 'no serious findings');
process.exit(faults ? 1 : 0);
