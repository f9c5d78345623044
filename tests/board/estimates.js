// When a job may end: what is said follows the clock, without a word from the gateway.
import {open, run} from './browser.js';
import {newJob, StandIn} from './stand_in.js';

const NOON = Date.parse('2026-11-30T12:00:00Z');
const after = (seconds) => new Date(NOON + 1000 * seconds).toISOString();

await run(async (browser, found) => {
  const estimate = {likelyFinishTime: after(200), lateFinishTime: after(500), pastJobs: 12};
  const some = newJob({estimate, message: 'Rendering'});
  const still = newJob({estimate: {...estimate, stallTime: after(400)}});
  const silent = newJob({estimate: {...estimate, stalled: true}, upstreamDegraded: true});
  const none = newJob({});
  const ended = newJob({estimate, state: 'JOB_STATE_SUCCEEDED', finishTime: after(0)});
  const server = await StandIn.start([some, still, silent, none, ended]);
  const page = await open(browser, 'about:blank');
  await page.clock.install({time: NOON});
  await page.goto(`${server.url}#/jobs/${still.jobId}`);
  const note = (job) => page.textContent(`.row[data-id="${job.jobId}"] .row-note`);
  const says = (job, text) => page.waitForFunction(([id, wanted]) =>
    document.querySelector(`.row[data-id="${id}"] .row-note`)?.textContent === wanted, [job.jobId, text]);
  await says(some, 'Rendering, about 3 min left');
  await page.waitForSelector('#detail .facts');
  const sentence = 'It may end in about 3 min, mostly within 8 min: an estimate from 12 past jobs of this kind.';
  found.that('with what it rests on', (await page.innerText('#detail')).includes(sentence));
  found.that('nothing is made up', /^\d+ s ago$/.test(await note(none)));
  found.that('nor of what has ended', /^\d+ s ago$/.test(await note(ended)));

  await page.clock.runFor(300_000);
  await says(some, 'Rendering, should end soon');
  await page.clock.runFor(150_000);
  await says(still, '7 min ago, seems to stand still');
  found.that('it is said why', (await page.innerText('#detail')).includes('and it may end well'));
  await says(some, 'Rendering, should end soon');
  found.that('who cannot be asked says nothing', await note(silent), '7 min ago, should end soon');
  await page.clock.runFor(100_000);
  await says(some, 'Rendering, later than most');
  found.that('nothing went wrong', page.wrong, []);
  await server.end();
});
