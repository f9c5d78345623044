// node story.js URL mouse|keys: what a person does at a real gateway with its sandbox, by mouse or by keys alone: submits,
// watches, plays the film, reads the transcript with its highlights, looks at what was spent, and deletes.
import {open, run} from './browser.js';
import {Hand} from './hand.js';

const [url, by] = process.argv.slice(2);

await run(async (browser, found) => {
  const page = await open(browser, url);
  const hand = new Hand(page, by);
  await page.waitForSelector('#connection[data-state=live]');
  await page.waitForSelector('#list-words:has-text("There are no jobs yet")');

  // A lost answer, a second try and a double click pay once: the form has one request_id.
  await page.route('**/v1/previews', async (route) => {
    await route.fetch();
    await route.abort();
  }, {times: 1});
  await hand.press('#new-job');
  await hand.write('#video-name', 'board story');
  await hand.press('dialog button[type=submit]');
  await page.waitForSelector('dialog p:has-text("Submit again")');
  await hand.pressTwice('dialog button[type=submit]');
  await page.waitForSelector('#detail h2:has-text("Render")');
  await page.waitForFunction(() => document.querySelector('#detail video')?.readyState >= 1);
  found.that('a film plays', await page.$eval('#detail video', (film) => film.duration > 1 && film.videoWidth > 0));
  await page.waitForFunction(() => document.querySelectorAll('.thumb[data-shown]').length === 1);
  found.that('rows of the story', await page.$$eval('.row', (rows) => rows.length), 2);
  found.that('its links', await page.$$eval('.links a', (links) => links.every((a) => a.rel.includes('noreferrer'))));

  // A picture, which Pictory charges for: what was spent is on the page as the gateway counts it.
  await hand.press('#new-job');
  await hand.choose('#what', 'image');
  await hand.press('dialog button[type=submit]');
  await page.waitForSelector('#detail h2:has-text("Image")');
  await page.waitForSelector('#detail .detail-state:has-text("Succeeded")');
  const usage = await page.evaluate(async () => (await fetch('/v1/usage')).json());
  found.that('something was spent', usage.creditsToday.used > 0);
  found.that('a duplicate cost nothing', Number(usage.repeatedToday), 1);
  const figure = (name, value) => page.waitForFunction(([of, wanted]) => [...document.querySelectorAll('#usage > div')].some((each) =>
    each.querySelector('dt').textContent === of && each.querySelector('.figure').textContent === wanted), [name, value]);
  await figure('AI credits, 24 h', String(usage.creditsToday.used));
  await figure('Duplicates prevented, 24 h', '1');
  found.that('the credits of the picture', await page.$$eval('.facts div', (all) => all.filter((each) =>
    each.querySelector('dt').textContent === 'AI credits').map((each) => each.querySelector('dd').textContent)), [String(usage.creditsToday.used)]);

  await hand.press('#new-job');
  await hand.choose('#what', 'summary');
  await hand.press('dialog button[type=submit]');
  await page.waitForSelector('.transcript mark a');
  found.that('what the summary chose is listed', await page.$$eval('.segments li', (all) => all.length > 0));
  const marked = await page.$$eval('.transcript mark', (all) => all.map((each) => each.innerText.trim()));
  const listed = await page.$$eval('.segments li span', (all) => all.map((each) => each.innerText.trim()));
  found.that('and is what is marked', marked.join(' '), listed.join(' '));

  // A highlight jumps in the player, once there is a film: the person's own. (The dialog that chooses a file is the
  // system's, and not there without a window.)
  const film = await page.evaluate(async () => (await (await fetch('/v1/jobs?kinds=JOB_KIND_RENDER')).json()).jobs[0].render.videoURL);
  const bytes = Buffer.from(await (await fetch(film)).arrayBuffer());
  await page.setInputFiles('#source-file', {name: 'talk.mp4', mimeType: 'video/mp4', buffer: bytes});
  await page.waitForFunction(() => document.querySelector('#detail video')?.readyState >= 1);
  const time = page.locator('.transcript .time >> nth=1');
  const wanted = Number(/t=([\d.]+)/.exec(await time.getAttribute('href'))[1]);
  await hand.press('.transcript .time >> nth=1');
  await page.waitForFunction((t) => document.querySelector('#detail video').currentTime >= Math.min(t,
    document.querySelector('#detail video').duration - 0.5), wanted);

  // What is deleted is gone.
  await hand.press('text=Delete this job …');
  await hand.press('dialog button.danger');
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 4);
  found.that('the address after it', await page.evaluate(() => location.hash), '#/');

  await hand.pick('.states', 'Succeeded');
  await hand.choose('#kind', 'JOB_KIND_RENDER');
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 1);
  await hand.write('#search', 'nothing has this');
  await page.waitForSelector('#list-words:has-text("No job fits these filters")');
  found.that('nothing went wrong', page.wrong, []);
});
