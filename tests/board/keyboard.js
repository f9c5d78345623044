// The board without a mouse: the list by arrows, a job by Enter, back by Escape, a decision by tab
// and blank, and the focus where one would look for it.
import {open, run} from './browser.js';
import {newJob, StandIn} from './stand_in.js';

await run(async (browser, found) => {
  const jobs = Array.from({length: 300}, (_, i) => newJob({labels: {n: String(i)}}));
  const unconfirmed = newJob({state: 'JOB_STATE_UNCONFIRMED', pictoryJobId: ''});
  const server = await StandIn.start([...jobs, unconfirmed]);
  server.candidates = [{pictoryJobId: 'p-77', status: 'in-progress', kind: 'JOB_KIND_RENDER'}];
  const page = await open(browser, server.url);
  await page.waitForSelector('#shown:has-text("301 jobs shown")');
  const focused = () => page.evaluate(() => document.activeElement.dataset.id ?? document.activeElement.innerText.trim());
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const tabTo = async (selector) => {
    for (let i = 0; i < 60; i += 1) {
      await press('Tab');
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return true;
    }
    return false;
  };

  await press('Tab');
  found.that('the first stop', await focused(), 'To the jobs');
  found.that('the list is one stop', await tabTo('.row'));
  found.that('and begins with what needs a person', await focused(), unconfirmed.jobId);
  await press('ArrowDown', 'ArrowDown');
  found.that('two down', await focused(), jobs[298].jobId);
  await press('End');
  found.that('the end', await focused(), jobs[0].jobId);
  found.that('the end can be seen', await page.evaluate(() => {
    const [row, box] = [document.activeElement, document.querySelector('#list')].map((e) => e.getBoundingClientRect());
    return row.top >= box.top && row.bottom <= box.bottom;
  }));
  found.that('where in the list', await page.evaluate(() => document.activeElement.closest('li').ariaPosInSet), '301');
  found.that('few rows are in the page', await page.$$eval('.row', (rows) => rows.length < 60));
  await press('PageUp', 'Home');
  found.that('the beginning', await focused(), unconfirmed.jobId);
  // A row that has the focus keeps it while its job moves on.
  await press('ArrowDown');
  server.put({...jobs[299], revision: 9, progressPercent: 55});
  await page.waitForSelector(`.row[data-id="${jobs[299].jobId}"]:has-text("55 %")`);
  found.that('the focus after a change', await focused(), jobs[299].jobId);

  await press('Enter');
  await page.waitForSelector('#detail h2');
  await page.waitForFunction(() => document.activeElement.tagName === 'H2');
  await press('Escape');
  await page.waitForFunction((id) => document.activeElement.dataset.id === id, jobs[299].jobId);

  await press('ArrowUp', 'Enter');
  found.that('the question', await tabTo('.decision button'));
  await press('Enter');
  await page.waitForSelector('.choice');
  found.that('the choices', await tabTo('.choice input'));
  await press('Space');
  found.that('the decision', await tabTo('.choices button[type=submit]'));
  await press('Enter');
  await page.waitForSelector('dialog[open]');
  found.that('a confirmation begins with the way out', await focused(), 'Do nothing');
  found.that('it says what', await page.$eval('dialog', (d) => d.innerText.includes('p-77') && d.innerText.includes('nothing is billed')));
  await press('Escape');
  found.that('nothing was decided', server.jobs.get(unconfirmed.jobId).state, 'JOB_STATE_UNCONFIRMED');
  await page.waitForFunction(() => document.activeElement.matches('.choices button'));
  await press('Enter', 'Tab', 'Enter');
  await page.waitForSelector('#detail .detail-state:has-text("Queued")');
  found.that('adopted', server.jobs.get(unconfirmed.jobId).pictoryJobId, 'p-77');
  found.that('asked of the gateway', server.asked.filter((each) => each.line.includes(':resolve')).map((each) => each.body),
    ['{}', '{"adoptPictoryJobId":"p-77"}']);
  await press('Escape', '/');
  found.that('the search', await page.evaluate(() => document.activeElement.id), 'search');
  found.that('nothing went wrong', page.wrong, []);
  await server.end();
});
