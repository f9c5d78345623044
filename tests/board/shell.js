// node shell.js URL GRPC BIN: what the board gives to copy is run in shells: what is quoted comes out as it
// was, in bash and zsh, and each command does at a real gateway what the board says.
import {execFileSync} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {open, run} from './browser.js';

const [url, grpc, bin] = process.argv.slice(2);
const TOOLS = process.env.BOARD_TOOLS.split(' ');
const TEXT = 'It\'s $HOME, `id` and "two"\nlines; or !three.';
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
  const scratch = process.env.BOARD_SCRATCH;
  const sh = (command) => execFileSync('bash', ['-c', command], {cwd: scratch, timeout: 60_000,
    env: {...process.env, PATH: `${bin}:${process.env.PATH}`, PICTORY_GATEWAY: grpc}}).toString();
  const use = (tool) => page.check(`.tools input[value=${tool}]`, {force: true});
  const clip = async (button) => {
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await page.click(button);
    await page.waitForFunction(async () => await navigator.clipboard.readText() !== '');
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const copied = async (what, tool) => {
    await use(tool);
    return clip(`#detail .command-section button[aria-label="Copy: ${what}"]`);
  };
  const show = async (job) => {
    await page.goto(`${url}#/jobs/${job}`);
    await page.waitForSelector(`#detail .facts:has-text("${job}")`);
  };
  const jobs = () => page.evaluate(async () => (await (await fetch('/v1/jobs?pageSize=100')).json()).jobs);
  for (const tool of TOOLS) {
    found.that(`${tool}: look at it`, sh(await copied('Look at it', tool)).includes(id));
    sh(await copied('Keep all that Pictory said of it', tool));
  }

  // Of the form: whoever runs the command and submits the form as well pays once.
  for (const tool of TOOLS) {
    await use(tool);
    const before = await jobs();
    await page.click('#new-job');
    await page.fill('#video-name', `by ${tool}`);
    await page.fill('#video-text', TEXT);
    sh(await clip('dialog button[aria-label="Copy: Submit it"]'));
    found.that(`${tool}: it submits`, (await jobs()).length, before.length + 1);
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog', {state: 'detached'});
    found.that(`${tool}: and so does the form, the same`, (await jobs()).length, before.length + 2);
    await page.waitForSelector('#detail .detail-state:has-text("Succeeded")');
  }
  const of = async (kind) => (await jobs()).find((job) => job.kind === kind && job.state === 'JOB_STATE_SUCCEEDED').jobId;
  const preview = await of('JOB_KIND_PREVIEW');
  await show(preview);
  const before = await jobs();
  for (const tool of TOOLS) sh(await copied('Render it', tool));
  found.that('a preview is rendered, by all of them once', (await jobs()).length, before.length + 1);

  // The film, from the gateway's archive; and from its link, where there is none.
  const film = join(scratch, `${id}.mp4`);
  const isFilm = () => readFileSync(film).subarray(4, 8).toString() === 'ftyp';
  await show(id);
  await page.waitForSelector('#detail:has-text("kept here")');
  for (const tool of TOOLS) {
    rmSync(film, {force: true});
    const said = sh(await copied('Fetch the film', tool));
    found.that(`${tool}: the film`, tool === 'grpcurl' ? said.includes('"data"') : isFilm());
  }
  const links = await page.evaluate(async (job) => {
    const {commandsFor} = await import('/board/commands.js');
    const {job: found} = await (await fetch(`/v1/jobs/${job}`)).json();
    return commandsFor({...found, archive: null}, {origin: location.origin, identified: true, callersPay: true})
      .find(({what}) => what === 'Fetch the film');
  }, id);
  rmSync(film, {force: true});
  sh(links.curl);
  found.that('the film by its link', isFilm());
  found.that('no key goes there', /Authorization|Pictory-Api-Key/.test(links.curl), false);

  // What Pictory said of a job that failed.
  const failed = JSON.parse(sh('pictory preview --name=sandbox-fail --text=Hi. --wait --json || true').trim().split('\n').at(-1)).jobId;
  await show(failed);
  for (const tool of TOOLS) sh(await copied('Keep all that Pictory said of it', tool));
  found.that('why it failed', readFileSync(join(scratch, `${failed}.json`)).includes('failed'));
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
