// node frames.js [SECONDS]: a thousand jobs of which each moves once a second, and a person who scrolls through
// them. Chromium's own trace says how long the page's thread worked for each frame, and how many were drawn.
import {open, run} from './browser.js';
import {newJob, StandIn} from './stand_in.js';

const SECONDS = Number(process.argv[2] ?? 10);
const JOBS = 1000;
const TICK_MS = 20;

await run(async (browser, found) => {
  const server = await StandIn.start(Array.from({length: JOBS}, (_, i) => newJob({labels: {film: String(i)}})));
  const page = await open(browser, server.url);
  await page.waitForFunction((jobs) => document.querySelector('#shown').textContent.startsWith(jobs), JOBS.toLocaleString('en'));
  let sent = 0;
  const all = [...server.jobs.values()];
  const began = performance.now();
  const mover = setInterval(() => {
    while (sent < (performance.now() - began) * JOBS / 1000) {
      const job = all[sent % JOBS];
      all[sent % JOBS] = {...job, revision: job.revision + 1, progressPercent: (job.progressPercent + 0.7) % 100, message: `step ${sent}`};
      server.put(all[sent % JOBS]);
      sent += 1;
    }
  }, TICK_MS);
  const client = await page.context().newCDPSession(page);
  const events = [];
  client.on('Tracing.dataCollected', ({value}) => events.push(...value));
  const ended = new Promise((resolve) => client.once('Tracing.tracingComplete', resolve));
  await client.send('Tracing.start', {transferMode: 'ReportEvents',
    traceConfig: {includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline',
      'disabled-by-default-devtools.timeline.frame', 'toplevel', 'blink.user_timing', '__metadata']}});
  await page.evaluate((seconds) => new Promise((resolve) => {
    const list = document.querySelector('#list');
    const end = performance.now() + seconds * 1000;
    const step = (now) => {
      list.scrollTop = (list.scrollTop + 30) % (list.scrollHeight - list.clientHeight);
      if (now < end) requestAnimationFrame(step);
      else resolve();
    };
    requestAnimationFrame(step);
  }), SECONDS);
  await client.send('Tracing.end');
  await ended;
  clearInterval(mover);

  const main = events.find((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain'
    && events.some((f) => f.name === 'FunctionCall' && f.pid === e.pid && f.tid === e.tid));
  const tasks = events.filter((e) => e.name === 'RunTask' && e.pid === main.pid && e.tid === main.tid && e.dur);
  const spans = tasks.map((e) => ({from: e.ts, cpu: (e.tdur ?? e.dur) / 1000})).sort((a, b) => a.from - b.from);
  // What the thread worked in each sixtieth of a second: less than that, or frames are late.
  const slot = 1e6 / 60;
  const work = new Map();
  for (const span of spans) {
    const at = Math.floor((span.from - spans[0].from) / slot);
    work.set(at, (work.get(at) ?? 0) + span.cpu);
  }
  const loads = [...work.values()].sort((a, b) => a - b);
  const at = (share) => loads[Math.min(loads.length - 1, Math.floor(loads.length * share))];
  // The frames that Chromium has drawn of the page, and not those that the page was asked for.
  const drawn = events.filter((e) => e.name === 'DrawFrame' && e.pid === main.pid).map((e) => e.ts).sort((a, b) => a - b);
  const gaps = drawn.slice(1).map((t, i) => (t - drawn[i]) / 1000).sort((a, b) => a - b);
  const figures = {
    jobs: JOBS, changesPerSecond: Math.round(sent * 1000 / (performance.now() - began)),
    drawnPerSecond: Number(((drawn.length - 1) * 1e6 / (drawn.at(-1) - drawn[0])).toFixed(1)),
    dropped: events.filter((e) => e.name === 'DroppedFrame' && e.pid === main.pid).length,
    busyMedianMs: Number(at(0.5).toFixed(2)), busy95Ms: Number(at(0.95).toFixed(2)), busy99Ms: Number(at(0.99).toFixed(2)),
    longestTaskMs: Number(Math.max(...spans.map((s) => s.cpu)).toFixed(1)), gap95Ms: Number(gaps[Math.floor(gaps.length * 0.95)].toFixed(1)),
    rows: await page.$$eval('.row', (rows) => rows.length),
  };
  found.that('the page is the newest', await page.evaluate(() => Number(/step (\d+)/.exec(document.querySelector('.row-note').textContent)?.[1]) > 0));
  found.that('few rows are in the page', figures.rows < 60);
  found.that('nothing went wrong', page.wrong, []);
  await server.end();
  return figures;
});
