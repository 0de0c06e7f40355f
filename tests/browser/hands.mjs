// An operator who has no mouse: commands for `seat.mjs` that press keys and read the screen, and nothing else. What is pressed
// is counted by the page itself: every key that goes down, Ctrl and Shift as well. A pointer that goes down is counted, too.

const FIELD = 'document.activeElement?.dataset?.field';
/** More places than any form or page here has. */
const PLACES = 40;
/** A voice that is told from another is so much louder. What must be apart by more is asserted where nothing else is at work. */
const APART_DB = 15;

/** @param page Playwright's. @param said What the page's console said so far. @param levels Of frequencies heard over some seconds. @param shoot Makes a screenshot. */
export async function handsOn(page, said, levels, shoot) {
  await page.addInitScript(() => {
    const down = { keys: 0, pointers: 0 };
    window.__down = down;
    addEventListener('keydown', (event) => event.isTrusted && !event.repeat && (down.keys += 1), true);
    addEventListener('pointerdown', () => (down.pointers += 1), true);
  });
  const keys = () => page.evaluate('window.__down.keys');
  const focused = () => page.evaluate(FIELD);
  const press = (key) => page.keyboard.press(key);

  /** Tab until the focus is where `expression` is true. */
  async function tabTo(expression, what) {
    for (let n = 0; n <= PLACES; n += 1) {
      if (await page.evaluate(expression)) return;
      await press('Tab');
    }
    throw new Error(`${what} is not reached by Tab`);
  }
  const button = (words) => `document.activeElement?.textContent?.trim().startsWith(${JSON.stringify(words)})`;

  /** The call in the middle: she speaks in it and the cursor is in its form. `but`: not this account's, which was there before. */
  async function spoken(but = '') {
    const there = ([before, field]) => {
      const name = document.querySelector('.band .name')?.textContent;
      const talks = document.querySelector('.band .state')?.textContent.startsWith('Talking');
      return name && name !== before && talks && eval(field) !== undefined ? name : false;
    };
    return (await page.waitForFunction(there, [but, FIELD])).jsonValue();
  }

  return {
    async hand_log_in({ base, login, password }) {
      await page.goto(base);
      await page.waitForFunction(() => document.activeElement?.id === 'login');
      await page.keyboard.type(login);
      await press('Tab');
      await page.keyboard.type(password);
      await press('Enter');
      await page.waitForSelector('header nav');
    },

    /** The ready check, in which Enter is the next thing to do. */
    async hand_get_ready() {
      const go = 'Go to the desk';
      for (const words of ['Start the check', 'Play the tone', 'I hear it']) {
        await page.waitForFunction(button(words));
        await press('Enter');
      }
      for (let tries = 1; ; tries += 1) {
        const failed = page.locator('ol li.fail .why');
        await page.locator(`text=${go}`).or(failed.first()).first().waitFor();
        if (!(await failed.count())) break;
        // A busy machine may keep the page from its heartbeat; then the server wants the test once more.
        if (tries === 3) throw new Error(`the ready check failed: ${await failed.first().textContent()}`);
        await tabTo(button('Test again'), 'Test again');
        await press('Enter');
        await page.waitForSelector('ol li:nth-child(3).busy');
      }
      await page.waitForFunction(button(go));
      await press('Enter');
      await page.waitForSelector('.state.ready, .state.talking, .state.offered');
    },

    /** A caller has come by himself; which account it says. */
    async hand_popped() {
      return spoken();
    },

    /** The next in the queue by F2; which account it says. */
    async hand_takes() {
      await page.waitForSelector('.waiting kbd, .incoming kbd');
      const before = await page.locator('.band .name').first().textContent();
      await press('F2');
      return spoken(before);
    },

    /** Back to the caller who is on hold and in the middle. */
    async hand_retrieves() {
      await page.waitForSelector('.band .state:has-text("On hold")');
      await press('F4');
      return spoken();
    },

    async hand_parks_and_fetches() {
      await press('Shift+F4');
      await page.waitForSelector('section[aria-labelledby="parked-h"] .row');
      await press('Shift+F2');
      const name = await spoken();
      await page.locator('section[aria-labelledby="parked-h"]').waitFor({ state: 'detached' });
      return name;
    },

    /** Which of `tones` is heard, and no other near it: at once, or when the sound has turned round. */
    async hand_listens({ tones }) {
      let heard = [];
      for (let tries = 0; tries < 100; tries += 1) {
        const [first] = await levels(tones, 0.1);
        heard = (first ?? []).map((level, at) => ({ level, at })).sort((a, b) => b.level - a.level);
        if (heard.length > 1 && heard[0].level > -40 && heard[0].level - heard[1].level >= APART_DB) return heard[0].at;
      }
      throw new Error(`not one voice alone: ${JSON.stringify(heard.slice(0, 3))}`);
    },

    /** Several at once, and none else near them. */
    async hand_listens_to_all({ tones, count }) {
      let heard = [];
      for (let tries = 0; tries < 100; tries += 1) {
        const [first] = await levels(tones, 0.1);
        heard = (first ?? []).map((level, at) => ({ level, at })).sort((a, b) => b.level - a.level);
        const last = heard[count - 1]?.level ?? -100;
        if (last > -40 && last - (heard[count]?.level ?? -100) >= APART_DB) return heard.slice(0, count).map((h) => h.at).sort((a, b) => a - b);
      }
      throw new Error(`not ${count} voices: ${JSON.stringify(heard.slice(0, count + 1))}`);
    },

    /** From the field that has the cursor on, field by field. */
    async hand_writes({ answers }) {
      for (const [name, words] of answers) {
        await tabTo(`${FIELD} === ${JSON.stringify(name)}`, name);
        // What a field offers to take over is taken by Enter.
        if (words === null) await press('Enter');
        else await page.keyboard.type(words);
      }
    },

    /** Where the cursor is, and what is in that field. */
    async hand_at() {
      return page.evaluate(() => {
        const field = document.activeElement;
        return { field: field?.dataset?.field ?? null, value: field?.value ?? null, end: field?.selectionStart === field?.value?.length };
      });
    },

    async hand_types({ words }) {
      await page.keyboard.type(words);
    },

    /** Opens a list by this key, narrows it by these words and takes what is marked, which has these words. */
    async hand_picks({ key, list, words }) {
      await press(key);
      await page.waitForSelector(`#${list}-list li`);
      await page.keyboard.type(words);
      await page.locator(`#${list}-list li[aria-selected="true"]`, { hasText: words }).waitFor();
      await press('Enter');
      await page.locator(`#${list}-list`).waitFor({ state: 'detached' });
    },

    /** The kind of call, from wherever in the form the cursor is: back to it, and by the arrows. */
    async hand_takes_as({ call_type }) {
      const kind = 'document.activeElement?.type === "radio" && document.activeElement.closest("label").innerText.trim()';
      for (let n = 0; !(await page.evaluate(kind)); n += 1) {
        if (n > PLACES) throw new Error('the call types are not reached by Shift+Tab');
        await press('Shift+Tab');
      }
      for (let n = 0; !(await page.evaluate(kind)).includes(call_type); n += 1) {
        if (n > PLACES) throw new Error(`${call_type} is not reached by the arrows`);
        await press('ArrowDown');
      }
    },

    /** By Tab to what is called so: by its words, or by its name for those who do not see it. */
    async hand_goes_to({ name }) {
      const called = JSON.stringify(name);
      await tabTo(`(document.activeElement?.ariaLabel ?? document.activeElement?.textContent ?? '').trim().startsWith(${called})`, name);
    },

    /** Goes to a page by its key; it is there when it has these words. */
    async hand_opens({ key, words }) {
      await press(key);
      await page.locator('h1', { hasText: words }).waitFor();
    },

    /** Saves what is not saved without a reason; the cursor is where it is to be written then. */
    async hand_is_asked_why({ reason }) {
      await press('Control+Enter');
      await page.waitForFunction(`${FIELD} === 'reason'`);
      await page.keyboard.type(reason);
    },

    /** Saves; how many keys that took. */
    async hand_saves() {
      const before = await keys();
      await press('Control+Enter');
      const faults = page.locator('.field .fault');
      await page.locator('.saved .what').or(faults.first()).first().waitFor();
      if (await faults.count()) throw new Error(`not saved: ${(await faults.allTextContents()).join(' ')}`);
      return (await keys()) - before;
    },

    /** Rings whoever comes first in the list; how many keys until the two are private. */
    async hand_dials() {
      const before = await keys();
      await press('F8');
      await page.waitForSelector('#patch-list li[aria-selected="true"] b');
      await press('Enter');
      await page.locator('section.patch.private').waitFor();
      return (await keys()) - before;
    },

    /** All three hear each other; how many keys that took. */
    async hand_joins() {
      const before = await keys();
      await press('F9');
      await page.locator('section.patch.joined').waitFor();
      return (await keys()) - before;
    },

    async hand_drops_off() {
      await press('Shift+F9');
      await page.waitForSelector('.wrap:has-text("The two talk on")');
    },

    async hand_hangs_up() {
      await press('F10');
      await page.waitForSelector('.wrap');
    },

    /** Done with the call in the middle. */
    async hand_finishes() {
      const gone = (name) => ![...document.querySelectorAll('section[aria-labelledby="calls-h"] .name')].some((row) => row.textContent === name);
      const name = await page.locator('.band .name').first().textContent();
      await press('Control+ArrowDown');
      await page.waitForFunction(gone, name);
    },

    async hand_shows({ name, width, height, dark }) {
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
      await shoot({ name, width, height });
      await page.setViewportSize({ width: 1600, height: 900 });
      await page.emulateMedia({ colorScheme: 'light' });
    },

    /** What went wrong in the page and nobody saw: errors, and warnings of the page's own. */
    async hand_complaints() {
      return said.filter((line) => line.startsWith('error: ') || line.includes('svelte.dev/e/'));
    },

    /** Pointers that went down: none, if all was done by keys. */
    async hand_pointers() {
      return page.evaluate('window.__down.pointers');
    },
  };
}
