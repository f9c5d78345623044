// A gateway to Pictory's transcriptions as the loop of Pictory's own samples makes one – get the
// status, sleep, until it is completed – in each watch.
//
//     node peer.js PROTOS UPSTREAM INTERVAL_SECONDS
//
// Prints `port N` once it serves. PICTORY_API_KEY is the account.

import {randomUUID} from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import {setTimeout as sleep} from 'node:timers/promises';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [protos, upstream, interval] = process.argv.slice(2);
const HEARTBEAT_MS = 25_000;

const definition = protoLoader.loadSync('pictory/jobs/v1/pictory_jobs.proto', {
  includeDirs: [protos],
  enums: String,
  longs: Number,
  oneofs: true,
});
const {PictoryJobs} = grpc.loadPackageDefinition(definition).pictory.jobs.v1;

const {request} = upstream.startsWith('https:') ? https : http;
const {Agent} = upstream.startsWith('https:') ? https : http;
const agent = new Agent({keepAlive: true, maxSockets: 64});
const headers = { // Pictory's bot filter turns away who gives no name
  Authorization: process.env.PICTORY_API_KEY, 'Content-Type': 'application/json', 'User-Agent': 'pictory-peer/1.0',
};
const CODES = {400: 'INVALID_ARGUMENT', 401: 'FAILED_PRECONDITION', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED'};

/** One call of Pictory: the answer's JSON, or an error that gRPC understands. */
function pictory(method, path, body) {
  return new Promise((resolve, reject) => {
    const fail = (code, details) =>
      reject(Object.assign(new Error(details), {code: grpc.status[code], details}));
    const call = request(upstream + path, {method, headers, agent, timeout: 30_000}, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('error', (error) => fail('UNAVAILABLE', error.message));
      response.on('end', () => {
        if (response.statusCode >= 300) {
          return fail(CODES[response.statusCode] ?? 'UNAVAILABLE', `Pictory says ${response.statusCode}: ${text}`);
        }
        try {
          resolve(JSON.parse(text));
        } catch {
          fail('UNAVAILABLE', `Pictory did not answer in JSON: ${text}`);
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error('Pictory does not answer')));
    call.on('error', (error) => fail('UNAVAILABLE', error.message));
    call.end(body && JSON.stringify(body));
  });
}

const jobs = new Map();

function find(id) {
  const job = jobs.get(id);
  if (job) return job;
  throw Object.assign(new Error(`no job ${id}`), {code: grpc.status.NOT_FOUND});
}

function timestamp() {
  const now = Date.now();
  return {seconds: Math.floor(now / 1000), nanos: (now % 1000) * 1e6};
}

const ended = (job) => !['JOB_STATE_QUEUED', 'JOB_STATE_RUNNING'].includes(job.state);

/** Asks Pictory how the job is doing. */
async function poll(job) {
  const {data = {}} = await pictory('GET', `/v1/jobs/${encodeURIComponent(job.pictoryJobId)}`);
  if (ended(job)) return; // another watch saw it first
  const before = JSON.stringify([job.state, job.message, job.progressPercent]);
  job.message = data.renderProgressMessage ?? job.message;
  if (typeof data.renderProgress === 'number') job.progressPercent = data.renderProgress;
  if (data.status === 'failed') {
    job.state = 'JOB_STATE_FAILED';
    job.error = {code: String(data.error_code), message: data.error_message};
  } else if (data.status === 'completed' || data.transcript) {
    job.state = 'JOB_STATE_SUCCEEDED';
    const {transcript, txt, srt, vtt} = data;
    job.transcription = {transcript: transcript?.map(sentence), txt, srt, vtt};
  } else {
    job.state = 'JOB_STATE_RUNNING';
  }
  if (JSON.stringify([job.state, job.message, job.progressPercent]) === before) return;
  job.revision += 1;
  job.updateTime = timestamp();
  if (ended(job)) job.finishTime = job.updateTime;
}

/** Pictory's words are in snake_case, the loader's in camelCase. */
function sentence({words = [], ...rest}) {
  const camel = (key) => key.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const word = (one) => Object.fromEntries(Object.entries(one).map(([key, value]) => [camel(key), value]));
  return {...rest, words: words.map(word)};
}

const unary = (handle) => (call, callback) =>
  handle(call.request).then((answer) => callback(null, answer), callback);

async function transcribe({fileUrl, mediaType, language, requestId, labels}) {
  const answer = await pictory('POST', '/v2/transcription', {fileUrl, mediaType, language});
  const job = {
    jobId: randomUUID(), pictoryJobId: answer.data.jobId, requestId: requestId || randomUUID(), labels,
    kind: 'JOB_KIND_TRANSCRIPTION', state: 'JOB_STATE_QUEUED', revision: 1,
    createTime: timestamp(), updateTime: timestamp(),
  };
  jobs.set(job.jobId, job);
  return {job};
}

async function getJob({jobId}) {
  const job = find(jobId);
  await poll(job);
  return {job};
}

async function watchJob(call) {
  try {
    const job = find(call.request.jobId);
    let seen = call.request.afterRevision;
    let told = Date.now();
    while (!call.cancelled) {
      await poll(job).catch((error) => console.error(error.message));
      if (job.revision !== seen) call.write({job});
      else if (Date.now() - told >= HEARTBEAT_MS) call.write({heartbeat: {revision: seen}});
      if (ended(job)) return call.end();
      if (job.revision !== seen) told = Date.now();
      seen = job.revision;
      await sleep(interval * 1000);
    }
  } catch (error) {
    call.emit('error', error);
  }
}

const server = new grpc.Server();
server.addService(PictoryJobs.service, {
  transcribe: unary(transcribe), getJob: unary(getJob), watchJob,
});
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`port ${port}`);
});
