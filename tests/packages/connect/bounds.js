// Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.
//
//   node bounds.js GATEWAY HOLE URL STUCK FAILED FAKE SECURE AUTHORITY     (tests/packages/run says what they are)
import {existsSync, readdirSync, readFileSync, rmSync} from 'node:fs';

import {
  call, connect, download, JobFailed, mayHaveBeenTaken, mustSucceed, PictoryJobs, readPart, ResultPart, watch, watchJobs,
} from 'pictory-jobs-connect';

const BOUNDS = {silenceMs: 500, patienceMs: 5_000};
const SILENT_MS = 3_000;
const [gateway, hole, url, stuck, failed, fake, secure] = process.argv.slice(2);

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
const connectCode = (error) => CODES[error.code] ?? `${error}`;

// How it failed, in a word.
async function code(act) {
  try {
    await act;
    return 'went well';
  } catch (error) {
    return error.name === 'AbortError' ? 'cancelled' : connectCode(error);
  }
}

async function told(of) {
  rmSync('got', {force: true});
  console.log(`kept${await revisions(of, 'kept')}`);
  console.log('next', (await call(of, 'render', {requestId: 'next'})).job.jobId);
  console.log(`short${await revisions(of, 'short')}`);
  console.log(`seen${await revisions(of, 'seen', {afterRevision: 7})}`);
  const enough = new AbortController();
  const lost = (error) => {
    const said = /said nothing for 3 s/.test(error.message) ? 'said' : error.message;
    console.log('mute', connectCode(error), said);
    enough.abort();
  };
  await code(revisions(of, 'mute', {signal: enough.signal, lost}));
  console.log('mute ended');
  for (const part of ['broken', 'cut', 'silent', 'shifted', 'changed', 'dead']) {
    const end = await code(readPart(of, part, ResultPart.TXT, 'got', {silenceMs: SILENT_MS}));
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
  const read = code(readPart(of, 'hang', ResultPart.TXT, 'got', {signal: ending.signal}));
  await call(of, 'getJob', {jobId: 'hang'});
  ending.abort();
  console.log('hang', await read + ', left', left());
  console.log('late', await code(call(of, 'getJob', {jobId: 'never'}, {ms: 0})));
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
  console.log('secure', (await call(connect(`https://${secure}`), 'getJob', {})).job.jobId);
}

async function many(of) {
  let seen = '';
  for await (const {event} of watchJobs(of, {labels: {case: 'many'}}, {silenceMs: SILENT_MS})) {
    if (event.case === 'goneJobId') return `${seen} gone`;
    seen += event.case === 'job' ? ` ${event.value.revision}` : ' started';
  }
}

// Each method of the service.
async function callAll(of) {
  for (const {localName, methodKind} of PictoryJobs.methods) {
    if (methodKind === 'unary') await call(of, localName, {requestId: 'all'});
    else await of[localName]({})[Symbol.asyncIterator]().next();
  }
}

const jobs = connect(gateway);
await call(jobs, 'render', {source: {case: 'previewJobId', value: 'j'}}).catch((error) => {
  if (error instanceof TypeError) console.log('refused');
});
try {
  mustSucceed((await call(jobs, 'getJob', {jobId: failed})).job);
} catch (error) {
  if (error instanceof JobFailed) console.log(error.message);
}
try {
  for await (const job of watch(connect(hole), 'j', BOUNDS)) console.log(job.jobId);
} catch {
  console.log('hole ended');
}
let lost = 0;
const ending = new AbortController();
const count = () => ++lost === 2 && ending.abort(); // in the pause that begins
try {
  for await (const job of watch(jobs, stuck, {...BOUNDS, signal: ending.signal, lost: count})) {
    if (job.jobId !== stuck) console.log(job.jobId);
  }
} catch {
  console.log('silent lost', lost);
}
console.log('download', await file('silent'));
console.log('halves', await file('halves'), await file('halves'));
await told(connect(fake));
await callAll(connect(fake));
process.exit(); // Connect would keep its connections
