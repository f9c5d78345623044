// Prints each change of all jobs with a label, over breaks of the connection and restarts of either side.
//
//   node build/watch_jobs.js batch=monday [TOKEN_FILE]     the token file lets another run go on

import {existsSync, readFileSync, writeFileSync} from 'node:fs';

import {connect, JobState, watchJobs} from 'pictory-jobs-connect';

const [label, tokenFile] = process.argv.slice(2);
const [key, value] = label.split('=', 2);
const resumeToken = tokenFile && existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8') : '';
const revisions = new Map<string, number>();
for await (const message of watchJobs(connect(), {labels: {[key]: value}, resumeToken})) {
  const {event} = message;
  if (event.case === 'goneJobId') revisions.delete(event.value);
  if (event.case === 'job' && (revisions.get(event.value.jobId) ?? 0) < event.value.revision) {
    const {jobId, revision, state} = event.value;
    revisions.set(jobId, revision);
    console.log(`${jobId} ${revision} ${JobState[state]}`);
  }
  if (tokenFile) writeFileSync(tokenFile, message.resumeToken); // what came before it is dealt with
}
