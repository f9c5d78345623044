// node picture.js URL FILE: a picture of the board for the docs, once its film can be seen.
import {launch, open} from './browser.js';

const [url, file] = process.argv.slice(2);
const browser = await launch();
const page = await open(browser, url, {size: {width: 1360, height: 800}});
await page.waitForSelector('#usage .figure');
await page.waitForFunction(() => document.querySelector('#detail video')?.readyState === 4);
await page.waitForSelector('.row[data-tone=running]');
await page.waitForSelector('.thumb[data-shown]');
await page.waitForSelector('#usage div:nth-child(4):has-text("1")');
await page.waitForTimeout(1000);  // the player has a circle until it is still
await page.screenshot({path: file});
await browser.close();
