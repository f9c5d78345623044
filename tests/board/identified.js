// node identified.js URL KEY READER: a gateway that asks who calls: with a key the board shows that tenant's
// jobs, with another one's only its own, and what that one may not do is not offered.
import {open, run} from './browser.js';

const [url, key, reader] = process.argv.slice(2);

await run(async (browser, found) => {
  const page = await open(browser, url);
  const use = async (text) => {
    await page.fill('#key', text);
    await page.click('dialog button.primary');
  };
  await page.waitForSelector('dialog #key');
  await use('pgk_wrong');
  await page.waitForSelector('dialog .notice[role=alert]');
  await use(key);
  await page.waitForSelector('#who:has-text("acme")');
  await page.waitForSelector('.row');
  found.that('one job', await page.$$eval('.row', (rows) => rows.length), 1);
  await page.click('.row');
  await page.waitForSelector('#detail .removal');
  const commands = await page.$$eval('.commands code', (all) => all.map((each) => each.innerText));
  await page.check('.tools input[value=curl]', {force: true});
  const curl = await page.innerText('.commands code >> nth=0');
  found.that('no command has the key', [...commands, curl].some((text) => text.includes(key)), false);
  found.that('but says where it belongs', curl.includes('"Authorization: Bearer $PICTORY_GATEWAY_KEY"'));

  await page.click('#who');
  await page.click('dialog button:has-text("Use another key")');
  await use(reader);
  await page.waitForSelector('#who:has-text("other")');
  await page.waitForSelector('#list-words:has-text("There are no jobs yet")');
  await page.waitForSelector('#detail h2:has-text("No such job")');
  found.that('what is not for a reader', await page.$$eval('.removal, #new-job:not([hidden])', (all) => all.length), 0);

  await page.click('#who');
  await page.click('dialog button:has-text("Use another key")');
  await page.click('dialog button:has-text("Forget it")');
  await page.waitForSelector('dialog #key');
  found.that('it is forgotten', await page.evaluate(() => sessionStorage.length), 0);
  found.that('nothing went wrong', page.wrong, []);
});
