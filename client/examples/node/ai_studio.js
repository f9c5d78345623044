// A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.
//
//   node ai_studio.js ORDER OUT PROMPT     the same order again pays for nothing twice

import {call, connect, download, explain, isGrpcError, mustSucceed, watch} from 'pictory-jobs';

const client = connect();

// The job of a submit, once it has its result.
async function finish(method, request) {
  let {job} = await call(client, method, request);
  for await (job of watch(client, job.jobId)) {
    // each of its states
  }
  return mustSucceed(job);
}

async function make(order, out, prompt) {
  const picture = await finish('generateImage', {requestId: `${order}-image`, prompt, aspectRatio: '16:9'});
  console.log(`picture: ${picture.jobId}`);
  const {url} = picture.image;
  await download(url, `${out}/picture.jpg`);

  const clip = await finish('generateVideo',
    {requestId: `${order}-video`, prompt, aspectRatio: '16:9', duration: '8s', firstFrameImageUrl: url});
  console.log(`clip: ${clip.jobId}`);
  await download(clip.video.url, `${out}/clip.mp4`);
  console.log(`AI credits: ${picture.creditsUsed + clip.creditsUsed}`);
}

try {
  await make(...process.argv.slice(2));
} catch (error) {
  console.error(isGrpcError(error) ? explain(error) : `${error}`);
  process.exitCode = 1;
} finally {
  client.close();
}
