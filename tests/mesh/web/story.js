// What a caller does over gRPC-Web, in Node as in a browser: submits, watches to the end, reads why a
// call was refused. Returns a list of [case, seen, wanted].
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {createGrpcWebTransport} from '@connectrpc/connect-web';

import {BadRequestSchema, ErrorInfoSchema} from './gen/google/rpc/error_details_pb.js';
import {JobState} from './gen/pictory/jobs/v1/job_pb.js';
import {PictoryJobs} from './gen/pictory/jobs/v1/pictory_jobs_pb.js';

const of = (value) => ({case: 'storyboard', value});
const STORYBOARD = of({videoName: 'web', scenes: [{story: 'Hello there.'}]});

async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  return new ConnectError('it was not refused');
}

export async function story(baseUrl, requestId) {
  const jobs = createClient(PictoryJobs, createGrpcWebTransport({baseUrl}));
  const told = [];
  const submit = {requestId, source: STORYBOARD};
  let trailers;
  const {job} = await jobs.createPreview(submit, {onTrailer: (got) => { trailers = got; }});
  told.push(['CreatePreview', Boolean(job.jobId), true]);
  const again = await jobs.createPreview(submit);
  told.push(['the same request_id', again.job.jobId, job.jobId]);
  const states = [];
  for await (const {event} of jobs.watchJob({jobId: job.jobId})) {
    if (event.case === 'job') states.push(JobState[event.value.state]);
  }
  told.push(['WatchJob, to the end', states.at(-1), 'SUCCEEDED']);
  const invalid = await refusal(jobs.createPreview({source: of({scenes: [{story: ''}]})}));
  told.push(['a refused request', Code[invalid.code], 'InvalidArgument']);
  told.push(['its reason', invalid.findDetails(ErrorInfoSchema)[0]?.reason, 'INVALID_REQUEST']);
  const fields = invalid.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({field}) => field) ?? [];
  told.push(['its fields', fields.includes('storyboard.video_name'), true]);
  const unknown = await refusal(jobs.getJob({jobId: '01hx2v00000000000000000000'}));
  told.push(['a job that there is not', unknown.findDetails(ErrorInfoSchema)[0]?.reason, 'JOB_NOT_FOUND']);
  told.push(['trailing metadata', trailers !== undefined, true]);
  return told;
}
