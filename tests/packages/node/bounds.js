// Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.
//
//   node bounds.js GATEWAY HOLE URL STUCK FAILED     (tests/packages/run says what they are)
import {existsSync, readFileSync, rmSync} from 'node:fs';

import {call, connect, download, JobFailed, mustSucceed, watch} from 'pictory-jobs';

const BOUNDS = {silenceMs: 500, patienceMs: 5_000};
const [gateway, hole, url, stuck, failed] = process.argv.slice(2);

async function file(name) {
  rmSync('got', {force: true});
  try {
    await download(`${url}/${name}`, 'got', BOUNDS);
  } catch {
    return existsSync('got') ? 'a piece' : 'ended';
  }
  return readFileSync('got', 'utf8');
}

const client = connect(gateway);
await call(client, 'render', {previewJobId: 'j'}).catch((error) => {
  if (error instanceof TypeError) console.log('refused');
});
try {
  mustSucceed((await call(client, 'getJob', {jobId: failed})).job);
} catch (error) {
  if (error instanceof JobFailed) console.log(error.message);
}
const nobody = connect(hole);
try {
  for await (const job of watch(nobody, 'j', BOUNDS)) console.log(job.jobId);
} catch {
  console.log('hole ended');
}
let lost = 0;
const ending = new AbortController();
const onReconnect = () => ++lost === 2 && ending.abort(); // in the pause that begins
try {
  for await (const job of watch(client, stuck, {...BOUNDS, signal: ending.signal, onReconnect})) {
    if (job.jobId !== stuck) console.log(job.jobId);
  }
} catch {
  console.log('silent lost', lost);
}
console.log('download', await file('silent'));
console.log('halves', await file('halves'), await file('halves'));
client.close();
nobody.close();
