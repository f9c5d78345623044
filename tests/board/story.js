// node story.js URL: what a person does at a real gateway with its sandbox: submits, watches, plays the
// film, reads the transcript with its highlights, and deletes.
import {open, run} from './browser.js';

const [url] = process.argv.slice(2);

await run(async (browser, found) => {
  const page = await open(browser, url);
  await page.waitForSelector('#connection[data-state=live]');
  await page.waitForSelector('#list-words:has-text("There are no jobs yet")');

  // A lost answer, a second try and a double click pay once: the form has one request_id.
  await page.route('**/v1/previews', async (route) => {
    await route.fetch();
    await route.abort();
  }, {times: 1});
  await page.click('#new-job');
  await page.fill('#video-name', 'board story');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog p:has-text("Submit again")');
  await page.dblclick('dialog button[type=submit]');
  await page.waitForSelector('#detail h2:has-text("Render")');
  await page.waitForFunction(() => document.querySelector('#detail video')?.readyState >= 1);
  found.that('a film plays', await page.$eval('#detail video', (film) => film.duration > 1 && film.videoWidth > 0));
  await page.waitForFunction(() => document.querySelectorAll('.thumb[data-shown]').length === 1);
  found.that('rows of the story', await page.$$eval('.row', (rows) => rows.length), 2);
  found.that('its links', await page.$$eval('.links a', (links) => links.every((a) => a.rel.includes('noreferrer'))));

  await page.click('#new-job');
  await page.selectOption('#what', 'summary');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.transcript mark a');
  found.that('what the summary chose is listed', await page.$$eval('.segments li', (all) => all.length > 0));
  const marked = await page.$$eval('.transcript mark', (all) => all.map((each) => each.innerText.trim()));
  const listed = await page.$$eval('.segments li span', (all) => all.map((each) => each.innerText.trim()));
  found.that('and is what is marked', marked.join(' '), listed.join(' '));

  // A highlight jumps in the player, once there is a film: the person's own.
  const film = await page.evaluate(async () => (await (await fetch('/v1/jobs?kinds=JOB_KIND_RENDER')).json()).jobs[0].render.videoURL);
  const bytes = Buffer.from(await (await fetch(film)).arrayBuffer());
  await page.setInputFiles('#source-file', {name: 'talk.mp4', mimeType: 'video/mp4', buffer: bytes});
  await page.waitForFunction(() => document.querySelector('#detail video')?.readyState >= 1);
  const time = page.locator('.transcript .time >> nth=1');
  const wanted = Number(/t=([\d.]+)/.exec(await time.getAttribute('href'))[1]);
  await time.click();
  await page.waitForFunction((t) => document.querySelector('#detail video').currentTime >= Math.min(t,
    document.querySelector('#detail video').duration - 0.5), wanted);

  // What is deleted is gone.
  await page.click('text=Delete this job …');
  await page.click('dialog button.danger');
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 3);
  found.that('the address after it', await page.evaluate(() => location.hash), '#/');

  await page.click('label:has-text("Succeeded")');
  await page.selectOption('#kind', 'JOB_KIND_RENDER');
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 1);
  await page.fill('#search', 'nothing has this');
  await page.waitForSelector('#list-words:has-text("No job fits these filters")');
  found.that('nothing went wrong', page.wrong, []);
});
