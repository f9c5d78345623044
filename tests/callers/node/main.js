// A caller with code generated from protos/. Prints the last states of a preview, of a picture and of a clip that
// begins with it, and why a call failed.
import {createClient} from '@connectrpc/connect';
import {createGrpcTransport} from '@connectrpc/connect-node';

import {JobState} from './gen/pictory/jobs/v1/job_pb.js';
import {PictoryJobs} from './gen/pictory/jobs/v1/pictory_jobs_pb.js';

const [address, run] = process.argv.slice(2);
const jobs = createClient(PictoryJobs, createGrpcTransport({baseUrl: `http://${address}`}));

async function follow(job) {
  for await (const {event} of jobs.watchJob({jobId: job.jobId})) {
    if (event.case === 'job') job = event.value;
  }
  console.log(`JOB_STATE_${JobState[job.state]}`);
  return job;
}

const speaker = {kind: {case: 'stringValue', value: 'Brian'}};
const storyboard = {
  videoName: 'demo',
  scenes: [{story: 'Hello there.'}],
  voiceOver: {enabled: true, aiVoices: [{speaker}]},
  webhookInput: {order: 7, tags: ['new']},
};
const source = {case: 'storyboard', value: storyboard};
const preview = await jobs.createPreview({requestId: `node-${run}`, source});
await follow(preview.job);
const picture = await jobs.generateImage(
  {requestId: `node-${run}-image`, prompt: 'A calm sea', model: 'flux-schnell', aspectRatio: '1:1'});
const {result} = await follow(picture.job);
const clip = await jobs.generateVideo({
  requestId: `node-${run}-video`,
  prompt: 'Its waves roll in',
  duration: '5s',
  firstFrameImageUrl: result.value.url,
});
await follow(clip.job);
try {
  await jobs.getJob({jobId: 'nobody'});
} catch (error) {
  const info = error.details.find((detail) => detail.type === 'google.rpc.ErrorInfo');
  console.log(Buffer.from(info.value).toString().match(/[A-Z_]{2,}/)[0]); // the bytes begin with the reason
}
