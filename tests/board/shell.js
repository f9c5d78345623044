// node shell.js URL GRPC BIN: what the board gives to copy is run in shells: what is quoted comes out as it
// was, in bash and zsh, and each command does at a real gateway what the board says.
import {execFileSync} from 'node:child_process';
import {open, run} from './browser.js';

const [url, grpc, bin] = process.argv.slice(2);
const WORDS = ['plain', '', 'two words', "it's", '"', '$HOME', '`id`', '$(id)', '\\', '!x', '~', '*', '=ls', '-rf', '#no', 'a\nb', '\t',
  '\u001b[2J', '\u202eabc', "'\\''", "a'\u0007\\b", '%s', 'ü→😀', '\u0085', '\u2066x', '{a,b}', 'a;b|c&d'];

await run(async (browser, found) => {
  const page = await open(browser, url);
  const quoted = await page.evaluate(async (words) => {
    const {quote, quoteJson} = await import('/board/quote.js');
    return words.map((word) => [quote(word), quoteJson({word})]);
  }, WORDS);
  const env = {...process.env, LC_ALL: 'C.UTF-8'};
  for (const shell of ['bash', 'zsh']) {
    const said = execFileSync(shell, ['-c', `printf '%s\\0' ${quoted.map(([word]) => word).join(' ')}`], {env}).toString();
    found.that(`words in ${shell}`, said.split('\0').slice(0, -1), WORDS);
    const json = execFileSync(shell, ['-c', `printf '%s\\0' ${quoted.map(([, text]) => text).join(' ')}`], {env}).toString();
    found.that(`JSON in ${shell}`, json.split('\0').slice(0, -1).map((text) => JSON.parse(text).word), WORDS);
  }
  found.that('nothing steers a terminal', quoted.flat().filter((text) => /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(text)), []);

  await page.click('#new-job');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('#detail .detail-state:has-text("Succeeded")');
  const id = await page.evaluate(() => decodeURIComponent(location.hash.slice('#/jobs/'.length)));
  const sh = (command) => execFileSync('bash', ['-c', command], {cwd: process.env.BOARD_SCRATCH, timeout: 60_000,
    env: {...process.env, PATH: `${bin}:${process.env.PATH}`, PICTORY_GATEWAY: grpc}}).toString();
  const copied = async (what, tool) => {
    await page.check(`.tools input[value=${tool}]`, {force: true});
    await page.click(`#detail .command-section button[aria-label="Copy: ${what}"]`);
    await page.waitForSelector('#announcer:has-text("copied")');
    return page.evaluate(() => navigator.clipboard.readText());
  };
  for (const tool of process.env.BOARD_TOOLS.split(' ')) {
    found.that(`${tool}: look at it`, sh(await copied('Look at it', tool)).includes(id));
    sh(await copied('Keep all that Pictory said of it', tool));
  }
  // Of the list, with filters that are in it.
  await page.goto(`${url}#/`);
  await page.fill('#label', 'by=board');
  await page.press('#label', 'Enter');
  await page.click('label:has-text("Succeeded")');
  await page.click('#who');
  await page.waitForSelector('dialog .commands');
  found.that('the list', sh(await page.innerText('dialog .commands code')).includes(id.slice(0, 8)));
  await page.keyboard.press('Escape');
  await page.goto(`${url}#/jobs/${id}`);
  await page.waitForSelector('#detail .removal');
  sh(await copied('Delete it, outputs at Pictory too', 'curl'));
  await page.reload();
  await page.waitForSelector('#detail h2:has-text("No such job")');
  found.that('nothing went wrong', page.wrong, []);
});
