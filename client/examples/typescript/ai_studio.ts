// A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.
//
//   node build/ai_studio.js ORDER OUT PROMPT     the same order again pays for nothing twice

import {call, connect, download, mustSucceed, reason, watch, type Job} from 'pictory-jobs-connect';

const jobs = connect();

// The job of a submit, once it has its result.
async function finish(submitted: Promise<{job?: Job}>): Promise<Job> {
  let {job} = await submitted;
  for await (job of watch(jobs, job!.jobId)) {
    // each of its states
  }
  return mustSucceed(job!);
}

const urlOf = ({result}: Job) => (result.case === 'image' || result.case === 'video' ? result.value.url : '');

async function make(order: string, out: string, prompt: string) {
  const image = {requestId: `${order}-image`, prompt, aspectRatio: '16:9'};
  const picture = await finish(call(jobs, 'generateImage', image));
  console.log(`picture: ${picture.jobId}`);
  await download(urlOf(picture), `${out}/picture.jpg`);

  const firstFrameImageUrl = urlOf(picture);
  const video = {requestId: `${order}-video`, prompt, aspectRatio: '16:9', duration: '8s', firstFrameImageUrl};
  const clip = await finish(call(jobs, 'generateVideo', video));
  console.log(`clip: ${clip.jobId}`);
  await download(urlOf(clip), `${out}/clip.mp4`);
  console.log(`AI credits: ${(picture.creditsUsed ?? 0) + (clip.creditsUsed ?? 0)}`);
}

try {
  const [order, out, prompt] = process.argv.slice(2);
  await make(order, out, prompt);
} catch (error) {
  console.error(`${error}: ${reason(error)}`);
  process.exitCode = 1;
}
