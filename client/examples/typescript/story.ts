// From text to a video, from speech to its summary, and what goes wrong on the way.
//
//   node build/story.js ORDER OUT MEDIA     the same order again pays for nothing twice
//   node build/story.js --watch JOB         go on where another run stopped

import {
  call, connect, download, fieldViolations, JobState, mustSucceed, readPart, reason, ResultPart, watch, type Job,
} from 'pictory-jobs-connect';

const jobs = connect();

// The job in its final state. A failed job is data: it says why.
async function follow(jobId: string): Promise<Job> {
  const lost = (error: unknown) => console.log(`${jobId} connection lost (${error}); trying again`);
  let last: Job | undefined;
  for await (last of watch(jobs, jobId, {lost})) {
    console.log(`${jobId} ${last.revision} ${JobState[last.state]}`);
  }
  return last!;
}

const submit = async (call: Promise<{job?: Job}>) => follow((await call).job!.jobId);

const preview = (requestId: string, videoName: string) => {
  const scenes = [{story: 'A gateway takes a story. It hands it to Pictory once.', createSceneOnEndOfSentence: true}];
  return {requestId, source: {case: 'storyboard' as const, value: {videoName, scenes}}};
};

async function story(order: string, out: string, media: string) {
  const made = mustSucceed(await submit(call(jobs, 'createPreview', preview(`${order}-preview`, order))));
  const render = {requestId: `${order}-render`, source: {case: 'previewJobId' as const, value: made.jobId}};
  const video = mustSucceed(await submit(call(jobs, 'render', render)));
  if (video.result.case === 'render') await download(video.result.value.videoUrl, `${out}/video.mp4`);

  const transcribe = {requestId: `${order}-transcribe`, fileUrl: media};
  const speech = mustSucceed(await submit(call(jobs, 'transcribe', transcribe)));
  await readPart(jobs, speech.jobId, ResultPart.TRANSCRIPT_JSON, `${out}/talk.json`);
  const summarize = {
    requestId: `${order}-summarize`,
    source: {case: 'transcriptionJobId' as const, value: speech.jobId},
    highlightDurationSeconds: 20,
  };
  const {result} = mustSucceed(await submit(call(jobs, 'summarize', summarize)));
  if (result.case === 'summary') console.log(`summary: ${result.value.summaryText}`);

  const again = await call(jobs, 'render', render); // the same requestId: the same job, paid once
  console.log(`the same render: ${again.job!.jobId === video.jobId}`);
  const {error: why} = await submit(call(jobs, 'createPreview', preview(`${order}-fail`, 'sandbox-fail')));
  console.log(`failed: ${why?.code} ${why?.message}`);
  for (const request of [preview(`${order}-render`, 'other'), preview(`${order}-wrong`, 'a/b')]) {
    await call(jobs, 'createPreview', request).catch((error) => {
      console.log(`refused: ${reason(error)}`);
      for (const {field, description} of fieldViolations(error)) console.log(`wrong: ${field} ${description}`);
    });
  }
}

try {
  const [first, out, media] = process.argv.slice(2);
  await (first === '--watch' ? follow(out) : story(first, out, media));
} catch (error) {
  console.error(`${error}: ${reason(error)}`);
  process.exitCode = 1;
}
