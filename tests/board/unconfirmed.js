// node unconfirmed.js URL: two jobs whose answers were lost. One is found at Pictory and adopted, and goes on;
// the other is given up.
import {open, run} from './browser.js';

const [url] = process.argv.slice(2);

await run(async (browser, found) => {
  const page = await open(browser, url);
  await page.waitForFunction(() => document.querySelectorAll('.row[data-tone=unconfirmed]').length === 2);
  await page.click('.row[data-tone=unconfirmed]');
  await page.click('.decision button');
  await page.waitForSelector('.choice');
  found.that('candidates and giving up', await page.$$eval('.choice', (all) => all.length), 3);
  const candidate = await page.innerText('.choice code >> nth=0');
  await page.check('.choice input >> nth=0');
  await page.click('.choices button[type=submit]');
  await page.waitForSelector('dialog[open]');
  found.that('what will happen', (await page.innerText('dialog')).includes(candidate));
  await page.click('dialog button.primary');
  await page.waitForSelector('#detail .detail-state:has-text("Succeeded")');
  found.that('it is that job', (await page.innerText('#detail .facts')).includes(candidate));

  await page.click('.row[data-tone=unconfirmed]');
  await page.click('.decision button');
  await page.waitForSelector('.choice');
  found.that('the adopted one is no candidate', await page.$$eval('.choice', (all) => all.length), 2);
  await page.check('.choice input[value=abandon]');
  await page.click('.choices button[type=submit]');
  found.that('what it costs', (await page.innerText('dialog')).includes('paid for anew'));
  await page.click('dialog button.danger');
  await page.waitForSelector('#detail .detail-state:has-text("Outcome unknown")');
  await page.waitForFunction(() => document.querySelectorAll('.row[data-tone=unconfirmed]').length === 0);
  found.that('nothing went wrong', page.wrong, []);
});
