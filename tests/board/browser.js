// Chromium without a window, and pages in it that tell what went wrong in them.
import {existsSync} from 'node:fs';
import {chromium} from 'playwright-core';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const DESKTOP = {width: 1360, height: 860};
export const PHONE = {width: 390, height: 844};
export const PATIENCE_MS = 60_000;

export async function launch() {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not here; cmake/install-deps --browser installs it`);
  return chromium.launch({executablePath: PROGRAM, args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required']});
}

// A page of its own session. `page.wrong` collects scripts that failed, and what its policy kept out.
export async function open(browser, url, {size = DESKTOP, dark = false, bypass = false, ...more} = {}) {
  const context = await browser.newContext({viewport: size, colorScheme: dark ? 'dark' : 'light', hasTouch: size === PHONE,
    bypassCSP: bypass, permissions: ['clipboard-read', 'clipboard-write'], ...more});
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (/Content Security Policy|TrustedHTML|Trusted Type/.test(text)) page.wrong.push(text);
  });
  page.on('dialog', (dialog) => {
    page.wrong.push(`a script asked: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(url);
  return page;
}

// Collects what is not as it should be, and says at the end what was looked at.
export class Findings {
  #wrong = [];
  #looked = 0;

  that(what, seen, wanted = true) {
    this.#looked += 1;
    if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
      this.#wrong.push(`${what}: ${JSON.stringify(seen)}, and not ${JSON.stringify(wanted)}`);
    }
  }

  // For the program's own row in main.py.
  tell(more = {}) {
    console.log(JSON.stringify({wrong: this.#wrong, looked: this.#looked, ...more}));
  }
}

// Runs `story(browser, findings)` and tells what it found.
export async function run(story) {
  const browser = await launch();
  const findings = new Findings();
  try {
    const more = await story(browser, findings);
    findings.tell(more ?? {});
  } finally {
    await browser.close();
  }
}
