// Prints the version of the package, and why a call failed.
import {createRequire} from 'node:module';

import {connect, reason, watch, type Job} from 'pictory-jobs-connect';

const jobs = connect(process.argv[2]);
try {
  for await (const job of watch(jobs, 'no-such-job')) {
    const state: Job['state'] = job.state;
    console.log(state);
  }
  // @ts-expect-error: a misspelt field
  await jobs.getJob({jobid: 'j'});
} catch (error) {
  console.log(createRequire(import.meta.url)('pictory-jobs-connect/package.json').version, reason(error));
}
