// From text to a video, from speech to its summary, and what goes wrong on the way.
//
//   node story.js ORDER OUT MEDIA     the same order again pays for nothing twice
//   node story.js --watch JOB         go on where another run stopped

import {
  call, connect, download, explain, fieldViolations, isGrpcError, mustSucceed, readPart, reason, watch,
} from 'pictory-jobs';

const client = connect();

// The job in its final state. A failed job is data: it says why.
async function follow({job}) {
  const onReconnect = (error) => console.log(`${job.jobId} connection lost (${error.details}); trying again`);
  for await (job of watch(client, job.jobId, {onReconnect})) {
    console.log(`${job.jobId} ${job.revision} ${job.state.replace('JOB_STATE_', '')}`);
  }
  return job;
}

const submit = async (method, request) => follow(await call(client, method, request));

// Mind the spelling: proto-loader drops fields it does not know without a word.
const preview = (requestId, videoName) => ({
  requestId,
  storyboard: {
    videoName,
    scenes: [{story: 'A gateway takes a story. It hands it to Pictory once.', createSceneOnEndOfSentence: true}],
  },
});

async function story(order, out, media) {
  const made = mustSucceed(await submit('createPreview', preview(`${order}-preview`, order)));
  const render = {requestId: `${order}-render`, previewJobId: made.jobId};
  const video = mustSucceed(await submit('render', render));
  await download(video.render.videoUrl, `${out}/video.mp4`);

  const speech = mustSucceed(await submit('transcribe', {requestId: `${order}-transcribe`, fileUrl: media}));
  await readPart(client, speech.jobId, 'RESULT_PART_TRANSCRIPT_JSON', `${out}/talk.json`);
  const {summary} = mustSucceed(await submit('summarize',
    {requestId: `${order}-summarize`, transcriptionJobId: speech.jobId, highlightDurationSeconds: 20}));
  console.log(`summary: ${summary.summaryText}`);

  const again = await call(client, 'render', render); // the same requestId: the same job, paid once
  console.log(`the same render: ${again.job.jobId === video.jobId}`);
  const {error: why} = await submit('createPreview', preview(`${order}-fail`, 'sandbox-fail'));
  console.log(`failed: ${why.code} ${why.message}`);
  for (const request of [preview(`${order}-render`, 'other'), preview(`${order}-wrong`, 'a/b')]) {
    await call(client, 'createPreview', request).catch((error) => {
      console.log(`refused: ${reason(error)}`);
      for (const {field, description} of fieldViolations(error)) console.log(`wrong: ${field} ${description}`);
    });
  }
}

try {
  const [first, ...rest] = process.argv.slice(2);
  await (first === '--watch' ? follow({job: {jobId: rest[0]}}) : story(first, ...rest));
} catch (error) {
  console.error(isGrpcError(error) ? explain(error) : `${error}`);
  process.exitCode = 1;
} finally {
  client.close();
}
