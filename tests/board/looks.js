// node looks.js FOLDER: the board at desktop and phone width, light and dark, in each of its views: as
// axe sees it, and without anything that is wider than the page. FOLDER gets pictures for people.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {DESKTOP, open, PHONE, run} from './browser.js';
import {newJob, StandIn} from './stand_in.js';

const folder = process.argv[2];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TEAMS = ['news', 'sport', 'video'];

function house() {
  const jobs = [];
  const states = ['JOB_STATE_RUNNING', 'JOB_STATE_QUEUED', 'JOB_STATE_RUNNING', 'JOB_STATE_WAITING'];
  for (let i = 0; i < 40; i += 1) {
    jobs.push(newJob({state: states[i % 4], progressPercent: (i * 13) % 100, message: i % 4 === 0 ? 'Rendering scene 3 of 12' : '',
      kind: i % 3 === 0 ? 'JOB_KIND_PREVIEW' : 'JOB_KIND_RENDER', labels: {team: TEAMS[i % 3], film: `spring-${i}`}}));
  }
  const ended = {finishTime: '2026-11-30T12:04:00Z', creditsUsed: 2, labels: {team: 'news'}};
  for (let i = 0; i < 60; i += 1) jobs.push(newJob({...ended, state: 'JOB_STATE_SUCCEEDED'}));
  const failed = newJob({...ended, state: 'JOB_STATE_FAILED', error: {code: 'TEXT_TO_VIDEO_FAILED', message: 'scene 1: the voice is not known'}});
  const words = 'Once upon a time a gateway took a story and handed it to Pictory once'.split(' ');
  const transcript = Array.from({length: 30}, (_, s) => ({words: words.map((word, w) =>
    ({word, start_time: s * 6 + w * 0.4, end_time: s * 6 + w * 0.4 + 0.3, highlight: s % 4 === 1 && w > 3}))}));
  const summary = newJob({...ended, kind: 'JOB_KIND_SUMMARY', state: 'JOB_STATE_SUCCEEDED', summary: {transcript,
    summaryText: 'a gateway took a story', summaryDurationSeconds: 19.2,
    segments: [{startSeconds: 7.6, endSeconds: 12, text: 'a gateway took a story and handed it to Pictory once'}]}});
  const unconfirmed = newJob({state: 'JOB_STATE_UNCONFIRMED', pictoryJobId: '', labels: {team: 'news'}});
  return {jobs: [...jobs, failed, summary, unconfirmed], failed, summary, unconfirmed};
}

await run(async (browser, found) => {
  const {jobs, failed, summary, unconfirmed} = house();
  const server = await StandIn.start(jobs);
  server.candidates = [{pictoryJobId: '2026-p-abc', status: 'in-progress', kind: 'JOB_KIND_RENDER'},
    {pictoryJobId: '2026-p-def', status: 'completed', kind: 'JOB_KIND_UNSPECIFIED'}];
  const go = (page, job) => page.goto(`${server.url}#/jobs/${job.jobId}`);
  const views = {
    list: async (page) => page.goto(server.url),
    failed: async (page) => { await go(page, failed); await page.waitForSelector('.facts'); },
    summary: async (page) => { await go(page, summary); await page.waitForSelector('.transcript'); },
    unconfirmed: async (page) => {
      await go(page, unconfirmed);
      await page.click('.decision button');
      await page.waitForSelector('.choice');
    },
    confirmation: async (page) => {
      await page.check('.choice input >> nth=2');
      await page.click('.choices button[type=submit]');
      await page.waitForSelector('dialog[open]');
    },
    form: async (page) => {
      await page.keyboard.press('Escape');
      await page.click('#new-job');
      await page.waitForSelector('dialog[open] #video-text');
    },
    gateway: async (page) => {
      await page.keyboard.press('Escape');
      await page.click('#who');
      await page.waitForSelector('dialog[open] .facts');
    },
    trouble: async (page) => {
      await page.keyboard.press('Escape');
      await page.goto(server.url);
      server.refusal = {status: 503, body: {code: 14, message: 'The gateway drains', details: []}};
      server.cutStreams();
      await page.waitForSelector('#trouble:not([hidden])');
    },
  };
  for (const [name, size] of Object.entries({desktop: DESKTOP, phone: PHONE})) {
    for (const dark of [false, true]) {
      server.refusal = null;
      const page = await open(browser, server.url, {size, dark, bypass: true});  // axe is a foreign script
      await page.waitForSelector('.row');
      await page.waitForSelector('#usage .figure');
      for (const [view, come] of Object.entries(views)) {
        await come(page);
        const where = `${name}, ${dark ? 'dark' : 'light'}, ${view}`;
        if (await page.evaluate(() => window.axe === undefined)) await page.evaluate(AXE);
        const {violations} = await page.evaluate(() => window.axe.run());
        found.that(`axe: ${where}`, violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)} ${v.nodes[0].any[0]?.message ?? ''}`), []);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        found.that(`wider than the page: ${where}`, wide <= 0);
        const cut = await page.$$eval('#detail, dialog', (all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1).length);
        found.that(`cut off: ${where}`, cut, 0);
        await page.screenshot({path: join(folder, `${name}-${dark ? 'dark' : 'light'}-${view}.png`)});
      }
      found.that(`nothing went wrong: ${name}`, page.wrong, []);
      await page.context().close();
    }
  }
  await server.end();
  return {folder};
});
