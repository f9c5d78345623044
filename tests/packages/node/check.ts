// Prints the version of the package, and why a call failed.
import {createRequire} from 'node:module';

import {call, connect, isGrpcError, reason, watch, type Job} from 'pictory-jobs';

const client = connect(process.argv[2]);
try {
  for await (const job of watch(client, 'no-such-job')) {
    const state: Job['state'] = job.state;
    console.log(state);
  }
  // @ts-expect-error: a misspelt field
  await call(client, 'render', {previewJobid: 'j'});
} catch (error) {
  const {version} = createRequire(import.meta.url)('pictory-jobs/package.json');
  if (isGrpcError(error)) console.log(version, reason(error));
}
client.close();
