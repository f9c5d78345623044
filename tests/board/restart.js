// node restart.js URL: watches a job while main.py kills the gateway and starts it again; prints `live` and
// `reconnecting` when the board says so.
import {open, run} from './browser.js';

const [url] = process.argv.slice(2);

await run(async (browser, found) => {
  const page = await open(browser, url);
  await page.click('#new-job');
  await page.fill('#video-name', 'board sandbox-stuck');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.row[data-tone=running]');
  console.log('live');
  await page.waitForSelector('#connection-words:has-text("Reconnecting")');
  await page.waitForSelector('#trouble-words:has-text("tries again in")');
  console.log('reconnecting');
  await page.waitForSelector('#connection[data-state=live]');
  await page.waitForSelector('#trouble', {state: 'hidden'});
  found.that('its rows', await page.$$eval('.row', (rows) => rows.length), 2);
  found.that('nothing went wrong', page.wrong, []);
});
