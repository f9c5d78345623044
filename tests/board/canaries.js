// Every text that a caller or Pictory can set, as a script, a link that is one, or a steering
// character: it is shown as text, does nothing, and commands quote it.
import {open, run} from './browser.js';
import {newJob, StandIn} from './stand_in.js';

const EVIL = [
  '<img src=x onerror="window.caught=1">', '<script>window.caught=1</script>', '"><svg onload=window.caught=1>',
  "'+(window.caught=1)+'", '{{constructor.constructor("window.caught=1")()}}', '${window.caught=1}',
  '<a href="javascript:window.caught=1">x</a>', '\u202etxt.exe', 'a\u001b[31mred', "'; touch /tmp/caught; '",
];
const LINKS = ['javascript:window.caught=1', 'JaVaScRiPt:window.caught=1', 'data:text/html,<script>window.caught=1</script>',
  'vbscript:x', '//evil.example/x', 'http://evil.example/x', ' javascript:window.caught=1', 'file:///etc/passwd',
  'blob:https://evil.example/x', 'https://ok.example/"onerror="window.caught=1'];

function jobsOf(text, link) {
  const words = {name: text, pictoryJobId: text, requestId: text, message: text, labels: {[text]: text, team: text}, finishTime: '2026-11-30T12:00:00Z'};
  const done = {...words, state: 'JOB_STATE_SUCCEEDED'};
  const spoken = {txt: text, srt: text, vtt: text, editVideoUrl: link, mediaInfoJson: text,
    summaries: [{text, durationSeconds: 1}]};
  const transcript = [{words: [{word: text, start_time: 0, highlight: true}, {word: text, start_time: 1}]}];
  return [
    newJob(words), newJob({...words, state: 'JOB_STATE_UNCONFIRMED'}),
    newJob({...words, state: 'JOB_STATE_FAILED', error: {code: text, message: text}}),
    newJob({...words, kind: text, state: 'JOB_STATE_QUEUED'}),
    newJob({...done, render: {videoURL: link, videoShareURL: link, thumbnail: link, audioURL: link, srtFile: link, vttFile: link, txtFile: link},
      archive: {files: [{name: text, field: 'video_url', state: 'ARCHIVE_STATE_FAILED', bytes: '1', problem: text}], takenOver: []}}),
    newJob({...done, kind: 'JOB_KIND_IMAGE', image: {url: link}}),
    newJob({...done, kind: 'JOB_KIND_VIDEO', video: {url: link, thumbnailImageUrl: link, lastFrameImageUrl: link}}),
    newJob({...done, kind: 'JOB_KIND_PREVIEW', preview: {previewUrl: link, projectUrl: link}}),
    newJob({...done, kind: 'JOB_KIND_TRANSCRIPTION', transcription: {transcript, ...spoken}}),
    newJob({...done, kind: 'JOB_KIND_SUMMARY', summary: {transcript, summaryText: text, summaryDurationSeconds: 1,
      segments: [{startSeconds: 0, endSeconds: 1, text}]}}),
  ];
}

await run(async (browser, found) => {
  const server = await StandIn.start();
  server.info = {...server.info, caller: EVIL[0], tenant: EVIL[1], account: EVIL[2], version: EVIL[0],
    pictoryObstacle: {reason: EVIL[0], message: EVIL[0]}};
  server.usage = {...server.usage, tenant: EVIL[0], account: EVIL[1], repeatedToday: EVIL[2],
    byLabel: [{value: EVIL[0], submitsToday: 1, creditsToday: 1}]};
  server.account = {account: EVIL[0], quota: {videoMinutes: {used: EVIL[1], limit: EVIL[2]}}, creditsCharged: EVIL[1]};
  server.candidates = [{pictoryJobId: EVIL[9], status: EVIL[0], kind: 'JOB_KIND_RENDER'}];
  const page = await open(browser, server.url);
  for (let i = 0; i < EVIL.length; i += 1) {
    for (const job of jobsOf(EVIL[i], LINKS[i])) {
      server.put(job);
      await page.goto(`${server.url}#/jobs/${job.jobId}`);
      await page.waitForSelector(`#detail .facts:has-text("${job.jobId}")`);
      if (job.summary || job.transcription) await page.waitForSelector('.transcript');
      if (job.state === 'JOB_STATE_UNCONFIRMED') {
        await page.click('.decision button');
        await page.waitForSelector('.choice');
      }
      const bad = await page.$$eval('a[href], img[src], video[src], video[poster]', (all) => all.flatMap((each) =>
        [each.getAttribute('href'), each.getAttribute('src'), each.getAttribute('poster')].filter(Boolean)
          .filter((url) => !/^(#|\/|https:\/\/ok\.example\/|http:\/\/127\.0\.0\.1)/.test(url))));
      found.that(`links of ${JSON.stringify(LINKS[i])}`, bad, []);
    }
    found.that(`shown as text: ${JSON.stringify(EVIL[i])}`, (await page.$eval('#detail', (e) => e.textContent)).includes(EVIL[i]));
  }
  await page.click('#who');
  found.that('who', (await page.innerText('dialog')).includes(EVIL[0]));
  await page.click('dialog button:has-text("Ask Pictory for the account")');
  await page.waitForSelector('dialog:has-text("Charged this month")');
  found.that('the account', (await page.innerText('dialog:has-text("Charged this month")')).includes(EVIL[0]));
  await page.keyboard.press('Escape');
  // Refusals and ends of streams are texts of others too.
  server.refusal = {status: 403, body: {code: 7, message: EVIL[0], details: []}};
  server.cutStreams();
  await page.waitForSelector('#trouble:not([hidden])');
  await page.waitForSelector(`#trouble-words:has-text("onerror")`);
  // What an address may say.
  for (const hash of ['#/jobs/<img src=x onerror=window.caught=1>', '#/jobs/%E0%A4%A', '#javascript:window.caught=1']) {
    await page.goto(server.url + hash);
  }
  found.that('caught', await page.evaluate(() => window.caught ?? null), null);
  found.that('elements of no one', await page.$$eval('script:not([src]), [onerror], [onload], [style*="javascript"]', (all) => all.length), 0);
  found.that('nothing went wrong', page.wrong, []);

  // The policy holds by itself: a script in the page is not run, a foreign server not asked.
  const bare = await open(browser, server.url);
  await bare.evaluate(() => {
    const script = document.createElement('script');
    try {
      script.textContent = 'window.caught = 1';
    } catch {
      // Trusted Types refuse the text itself.
    }
    document.body.append(script);
  });
  found.that('an inline script', await bare.evaluate(() => window.caught ?? null), null);
  found.that('a text as HTML', await bare.evaluate(() => {
    try {
      document.body.innerHTML = '<b>x</b>';
      return 'taken';
    } catch {
      return 'refused';
    }
  }), 'refused');
  found.that('another server', await bare.evaluate(() => fetch('https://evil.example/').then(() => 'asked', () => 'refused')), 'refused');
  found.that('the policy has spoken', bare.wrong.length > 0);
  await server.end();
});
