// Prints each change of all jobs with a label, over breaks of the connection and restarts of either side.
//
//   node watch_jobs.js batch=monday [TOKEN_FILE]     the token file lets another run go on

import {existsSync, readFileSync, writeFileSync} from 'node:fs';

import {connect, explain, isGrpcError, watchJobs} from 'pictory-jobs';

const [label, tokenFile] = process.argv.slice(2);
const [key, value] = label.split('=', 2);
const resumeToken = tokenFile && existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8') : '';
const client = connect();
const revisions = new Map();
try {
  for await (const {event, job, goneJobId, resumeToken: token} of
    watchJobs(client, {labels: {[key]: value}, resumeToken})) {
    if (event === 'goneJobId') revisions.delete(goneJobId);
    if (event === 'job' && (revisions.get(job.jobId) ?? 0) < job.revision) {
      revisions.set(job.jobId, job.revision);
      console.log(`${job.jobId} ${job.revision} ${job.state.replace('JOB_STATE_', '')}`);
    }
    if (tokenFile) writeFileSync(tokenFile, token); // what came before it is dealt with
  }
} catch (error) {
  console.error(isGrpcError(error) ? explain(error) : `${error}`);
  process.exitCode = 1;
}
client.close();
