// Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.
//
//   node bounds.js GATEWAY HOLE URL STUCK FAILED FAKE SECURE AUTHORITY     (tests/packages/run says what they are)
import {existsSync, readdirSync, readFileSync, rmSync} from 'node:fs';

import grpc from '@grpc/grpc-js';

import {
  call, connect, download, JobFailed, mayHaveBeenTaken, mustSucceed, readPart, watch, watchJobs,
} from 'pictory-jobs';

const BOUNDS = {silenceMs: 500, patienceMs: 5_000};
const SILENT_MS = 3_000;
const [gateway, hole, url, stuck, failed, fake, secure, authority] = process.argv.slice(2);

async function file(name) {
  rmSync('got', {force: true});
  try {
    await download(`${url}/${name}`, 'got', BOUNDS);
  } catch {
    return existsSync('got') ? 'a piece' : 'ended';
  }
  return readFileSync('got', 'utf8');
}

// What becomes of the answers of tests/packages/fake.py.
function left() {
  return readdirSync('.').filter((name) => name.startsWith('got')).length;
}

async function revisions(of, id, options) {
  let seen = '';
  for await (const job of watch(of, id, {silenceMs: SILENT_MS, ...options})) seen += ` ${job.revision}`;
  return seen;
}

const CODES = {4: 'DEADLINE_EXCEEDED', 14: 'UNAVAILABLE', 15: 'DATA_LOSS'};
const grpcCode = (error) => CODES[error.code] ?? `${error}`;

// How it failed, in a word.
async function code(act) {
  try {
    await act;
    return 'went well';
  } catch (error) {
    return error.name === 'AbortError' ? 'cancelled' : grpcCode(error);
  }
}

async function told(of) {
  rmSync('got', {force: true});
  console.log(`kept${await revisions(of, 'kept')}`);
  console.log('next', (await call(of, 'render', {requestId: 'next'})).job.jobId);
  console.log(`short${await revisions(of, 'short')}`);
  console.log(`seen${await revisions(of, 'seen', {afterRevision: 7})}`);
  const enough = new AbortController();
  const onReconnect = (error) => {
    const said = /said nothing for 3 s/.test(error.message) ? 'said' : error.message;
    console.log('mute', grpcCode(error), said);
    enough.abort();
  };
  await code(revisions(of, 'mute', {signal: enough.signal, onReconnect}));
  console.log('mute ended');
  for (const part of ['broken', 'cut', 'silent', 'shifted', 'changed', 'dead']) {
    const end = await code(readPart(of, part, 'RESULT_PART_TXT', 'got', {silenceMs: SILENT_MS}));
    console.log(part, existsSync('got') ? readFileSync('got', 'utf8') : end);
    rmSync('got', {force: true});
  }
  console.log('dead', (await call(of, 'getJob', {jobId: 'dead'})).job.revision);
  for (const jobId of ['UNCONFIRMED', 'CANCELLED']) {
    try {
      mustSucceed((await call(of, 'getJob', {jobId})).job);
    } catch (error) {
      if (error instanceof JobFailed) console.log(error.message);
    }
  }
  let ending = new AbortController();
  const read = code(readPart(of, 'hang', 'RESULT_PART_TXT', 'got', {signal: ending.signal}));
  await call(of, 'getJob', {jobId: 'hang'});
  ending.abort();
  console.log('hang', await read + ', left', left());
  const quiet = new AbortController();
  const never = code(call(of, 'getJob', {jobId: 'never'}, {signal: quiet.signal}));
  quiet.abort();
  console.log('never', await never);
  const away = connect('127.0.0.1:1'); // which it waits for, and nobody is there
  console.log('away', await code(call(away, 'getJob', {jobId: 'j'}, {ms: 500})));
  away.close();
  const signs = connect(fake, {metadata: () => ({authorization: 'me'})});
  console.log('signed', (await call(signs, 'getJob', {jobId: 'signed'})).job.jobId);
  signs.close();
  for (const requestId of ['open', 'refused']) {
    await call(of, 'render', {requestId}).catch((error) => console.log(requestId, mayHaveBeenTaken(error)));
  }
  const [first, second] = ['first', 'second'].map((name) => download(`${url}/${name}`, 'got'));
  await second;
  await download(`${url}/go`, 'went');
  await first;
  console.log('two', readFileSync('got', 'utf8'), 'left', left());
  rmSync('got');
  ending = new AbortController();
  const stopped = code(download(`${url}/stuck`, 'got', {signal: ending.signal}));
  await download(`${url}/begun`, 'went');
  ending.abort();
  console.log('stuck', await stopped + ', left', left());
  console.log(`many${await many(of)}`);
  const credentials = grpc.credentials.createSsl(readFileSync(authority));
  const safe = connect(secure, {credentials});
  console.log('secure', (await call(safe, 'getJob', {})).job.jobId);
  safe.close();
}

async function many(of) {
  let seen = '';
  for await (const {event, job} of watchJobs(of, {labels: {case: 'many'}}, {silenceMs: SILENT_MS})) {
    if (event === 'goneJobId') return `${seen} gone`;
    seen += event === 'job' ? ` ${job.revision}` : ' started';
  }
}

// Each method of the service, by the names that the package gives them.
async function callAll(of) {
  for (const [name, {responseStream}] of Object.entries(Object.getPrototypeOf(of).constructor.service)) {
    const method = name[0].toLowerCase() + name.slice(1);
    if (responseStream) await of[method]({}).forEach(() => {});
    else await call(of, method, {requestId: 'all'});
  }
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
const asked = connect(fake);
await told(asked);
await callAll(asked);
for (const what of ['closing', 'closed']) {
  const end = code((async () => {
    for await (const job of watch(asked, 'mute', {silenceMs: SILENT_MS})) if (job) asked.close();
  })());
  console.log(what, await end === 'went well' ? 'went on' : 'ended');
}
client.close();
nobody.close();
