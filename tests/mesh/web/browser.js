// node browser.js CHROMIUM PAGE_URL: opens the page in headless Chromium, and prints what its story told,
// or {"failed": …}.
import {chromium} from 'playwright-core';

const [executablePath, url] = process.argv.slice(2);
const browser = await chromium.launch({executablePath, args: ['--no-sandbox']});  // it may be root's
try {
  const page = await browser.newPage();
  await page.goto(url);
  const told = await page.evaluate(() => window.told.catch((error) => ({failed: String(error)})));
  console.log(JSON.stringify(told));
} finally {
  await browser.close();
}
