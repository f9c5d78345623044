// How a person works a page: by mouse, or by keys alone. By keys it goes from stop to stop with Tab until what is wanted
// has the focus, so that a control which Tab does not reach is found.
const STOPS_MAX = 400;

export class Hand {
  #page;
  #keys;

  constructor(page, by) {
    this.#page = page;
    this.#keys = by === 'keys';
  }

  async press(selector) {
    if (!this.#keys) return this.#page.click(selector);
    await this.#reach(selector);
    await this.#page.keyboard.press('Enter');
  }

  async pressTwice(selector) {
    if (!this.#keys) return this.#page.dblclick(selector);
    await this.#reach(selector);
    await this.#page.keyboard.press('Enter');
    await this.#page.keyboard.press('Enter');
  }

  async write(selector, text) {
    if (!this.#keys) return this.#page.fill(selector, text);
    await this.#reach(selector);
    await this.#page.keyboard.press('ControlOrMeta+A');
    await this.#page.keyboard.type(text);
  }

  // An option of a select, by its value.
  async choose(selector, value) {
    if (!this.#keys) return this.#page.selectOption(selector, value);
    await this.#reach(selector);
    const words = await this.#page.$eval(`${selector} option[value="${value}"]`, (option) => option.textContent);
    await this.#page.keyboard.type(words);
    await this.#page.keyboard.press('Tab');
    await this.#page.waitForFunction(([of, wanted]) => document.querySelector(of).value === wanted, [selector, value]);
  }

  // One of a group of radio buttons, by its words.
  async pick(group, words) {
    if (!this.#keys) return this.#page.click(`${group} label:has-text("${words}")`);
    await this.#reach(`${group} input:checked`);
    const chosen = () => this.#page.$eval(`${group} input:checked`, (input) => input.parentElement.textContent.trim());
    for (let i = 0; i < STOPS_MAX && !(await chosen()).startsWith(words); i += 1) await this.#page.keyboard.press('ArrowRight');
  }

  async #reach(selector) {
    const wanted = this.#page.locator(selector).first();
    await wanted.waitFor();
    for (let i = 0; i < STOPS_MAX; i += 1) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await this.#page.keyboard.press('Tab');
    }
    throw new Error(`${selector} is not to be reached by ${STOPS_MAX} times Tab`);
  }
}
