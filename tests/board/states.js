// What the board says when there is nothing, when the gateway is away, and when it refuses.
import {open, run} from './browser.js';
import {newJob, StandIn} from './stand_in.js';

const refusal = (status, code, reason, message) => ({status, body: {code, message,
  details: [{'@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'pictory-gateway'}]}});

await run(async (browser, found) => {
  const server = await StandIn.start();
  const page = await open(browser, server.url);
  const says = (text, where = '#list-words') => page.waitForSelector(`${where}:has-text("${text}")`);
  await says('There are no jobs yet');
  await says('Live', '#connection-words');

  const job = newJob({state: 'JOB_STATE_QUEUED', progressPercent: undefined});
  server.put(job);
  await page.waitForSelector(`.row[data-id="${job.jobId}"]`);

  // A cut: it goes on behind the last event that it had.
  server.cutStreams();
  await page.waitForFunction(() => document.querySelector('#connection-words').textContent === 'Live');
  while (server.watches === 0) await page.waitForTimeout(50);
  found.that('it goes on from', server.asked.filter((each) => each.line.includes(':watch')).at(-1).headers['last-event-id'], 't1');

  // The gateway is gone, and comes again.
  const {port} = server;
  await server.end();
  await says('Reconnecting', '#connection-words');
  await says('tries again in', '#trouble-words');
  await says('What is shown is from', '#trouble-words');
  found.that('what was shown stays', await page.$$eval('.row', (rows) => rows.length), 1);
  await page.context().setOffline(true);
  await says('Offline', '#connection-words');
  await says('This machine is offline', '#trouble-words');
  await page.context().setOffline(false);
  await says('tries again in', '#trouble-words');  // it has tried by itself, and nobody was there yet
  await server.listen(port);
  await page.click('#try-now');
  await says('Live', '#connection-words');
  await page.waitForSelector('#trouble', {state: 'hidden'});

  // A job that ended while nobody listened is not shown as running for ever.
  await server.end();
  server.jobs.set(job.jobId, {...job, state: 'JOB_STATE_SUCCEEDED', revision: 5, finishTime: '2026-11-30T12:00:00Z'});
  await server.listen(port);
  await page.waitForSelector('.row[data-tone=succeeded]');

  // A filter that nothing fits, and one of labels that the gateway is asked with.
  await page.fill('#search', 'none such');
  await says('No job fits these filters');
  await page.fill('#search', '');
  await page.fill('#label', 'team=a b=c&d');
  await page.press('#label', 'Enter');
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 0);
  found.that('asked with the labels', server.asked.some((each) => each.line.includes('labels.team=a&labels.b=c%26d')));

  // It is refused, and a key lets it in.
  server.refusal = refusal(401, 16, 'CALLER_UNKNOWN', 'Nobody knows who calls: show an API key');
  await page.reload();
  await page.waitForSelector('dialog #key');
  found.that('why', (await page.innerText('dialog')).includes('show an API key'));
  await says('Refused', '#connection-words');
  await says('shows no jobs to this caller');
  server.refusal = null;
  await page.fill('#key', 'pgk_secret');
  await page.click('dialog button.primary');
  await says('Live', '#connection-words');
  found.that('the key is sent', server.asked.at(-1).headers.authorization, 'Bearer pgk_secret');
  found.that('and kept for the tab alone', await page.evaluate(() => [localStorage.length, document.cookie, sessionStorage.length]), [0, '', 1]);
  found.that('and is in no address', await page.evaluate(() => performance.getEntries().some((e) => e.name.includes('pgk_'))), false);

  // Who is asked whether to cancel a job says nothing of the video that it becomes meanwhile.
  const waiting = newJob({state: 'JOB_STATE_WAITING'});
  server.put(waiting);
  await page.goto(`${server.url}#/jobs/${waiting.jobId}`);
  await page.click('.removal button');
  await page.waitForSelector('dialog:has-text("Cancel this job?")');
  server.put({...waiting, state: 'JOB_STATE_SUCCEEDED', revision: 2});
  await page.waitForSelector('#detail .detail-state:has-text("Succeeded")');
  await page.click('dialog button.danger');
  await page.waitForSelector('.removal [role=alert]:has-text("cannot be cancelled")');
  found.that('the video is still there', server.jobs.get(waiting.jobId)?.state, 'JOB_STATE_SUCCEEDED');
  const other = newJob({state: 'JOB_STATE_WAITING'});
  server.put(other);
  await page.goto(`${server.url}#/jobs/${other.jobId}`);
  await page.waitForSelector('.removal button:has-text("Cancel")');
  found.that('of another job nothing was said', await page.innerText('.removal [role=alert]'), '');
  await page.click('.removal button');
  await page.click('dialog button.danger');
  await page.waitForSelector('#detail .detail-state:has-text("Cancelled")');

  // Another role: what may not be done is not offered.
  server.info = {...server.info, sandbox: false, roles: ['read']};
  const ended = [...server.jobs.keys()][0];
  await page.goto(`${server.url}#/jobs/${ended}`);
  await page.reload();
  await page.waitForSelector('#detail .facts');
  await page.waitForSelector('#who:not([hidden])');
  found.that('no deleting', await page.$$eval('.removal', (all) => all.length), 0);
  found.that('no form for a real account', await page.$eval('#new-job', (b) => b.hidden));

  server.refusal = refusal(403, 7, 'ROLE_REQUIRED', 'This needs the role read');
  server.cutStreams();
  await says('The gateway refuses the board: This needs the role read', '#trouble-words');
  server.refusal = null;
  server.usage = {...server.usage, submitsStopped: true};
  await page.click('#try-now');
  await page.waitForSelector('#stopped:not([hidden])');
  found.that('nothing went wrong', page.wrong, []);
  await server.end();
});
