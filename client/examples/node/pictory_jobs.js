// What a client of the gateway needs beyond @grpc/grpc-js: calls that are repeated only where that is
// safe, watches that survive a broken connection, and errors in plain words. Yours to copy.
//
// Errors are grpc-js's own (code, details, metadata); explain() says what to do about one.

import {createWriteStream} from 'node:fs';
import {open, rename} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const CALL_MS = 60_000;
const ATTEMPTS = 5;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
// The gateway sends a heartbeat every 25 s: a watch silent for so long is dead, whatever TCP believes.
const SILENCE_MS = 75_000;
// How long a watch looks for a gateway that has gone.
const PATIENCE_MS = 600_000;
// All that the gateway itself says carries an ErrorInfo of this domain.
const DOMAIN = 'pictory-gateway';
const SUBMITS = ['createPreview', 'render', 'transcribe', 'summarize'];

const PROTOS = process.env.PICTORY_PROTOS ?? fileURLToPath(new URL('../../../protos', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

const definition = protoLoader.loadSync(
  ['pictory/jobs/v1/pictory_jobs.proto', 'error_details.proto'],
  {
    includeDirs: [PROTOS, HERE],
    keepCase: false, // videoName, as in Pictory's own JSON
    enums: String,
    longs: String, // the seconds of a Timestamp only
    defaults: true, // but what is `optional` and not set stays undefined
    oneofs: true, // message.event and job.result name the member that is set
  },
);
const api = grpc.loadPackageDefinition(definition).pictory.jobs.v1;

// A client for host:port; by default that of PICTORY_GATEWAY. close() it when done.
export function connect(address = process.env.PICTORY_GATEWAY ?? '127.0.0.1:50051') {
  // gRPC itself waits up to two minutes before it connects again; a watch wants to go on sooner.
  return new api.PictoryJobs(address, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': FIRST_DELAY_MS,
    'grpc.max_reconnect_backoff_ms': MAX_DELAY_MS,
  });
}

// One answer, of call(client, 'render', {…}). A submit must carry a requestId: then a repetition never
// becomes a second job.
export async function call(client, method, request) {
  if (SUBMITS.includes(method) && !request.requestId) {
    throw new TypeError('a submit that may be repeated needs a requestId, or it may be paid for twice');
  }
  for (let failures = 0; ; failures++) {
    try {
      return await new Promise((resolve, reject) => {
        const options = {deadline: Date.now() + CALL_MS};
        client[method](request, options, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
    } catch (error) {
      if (failures + 1 === ATTEMPTS || !worthRepeating(error)) throw error;
      await sleep(delayAfter(error, failures));
    }
  }
}

// Yields the present state of the job and each newer one; the last one is final.
//
// A reader slower than the job misses states in between, never the last one. Broken connections and
// restarts of the gateway are bridged for as long as `patienceMs` without a word; `onReconnect` hears of
// them. To go on where another process stopped, give the `revision` it saw last.
export async function* watch(
  client, jobId,
  {afterRevision = 0, silenceMs = SILENCE_MS, patienceMs = PATIENCE_MS, onReconnect = () => {}} = {},
) {
  let failures = 0;
  let giveUp;
  for (;;) {
    try {
      const stream = client.watchJob({jobId, afterRevision});
      for await (const message of untilSilent(stream, silenceMs)) {
        failures = 0;
        if (message.event === 'job') { // otherwise a heartbeat: nothing new
          afterRevision = message.job.revision;
          yield message.job;
        }
      }
      return; // the gateway ends a stream with OK only after the final state
    } catch (error) {
      // CANCELLED is a proxy's doing, or our own after a silence.
      if (failures === 0) giveUp = Date.now() + patienceMs;
      const delay = delayAfter(error, failures);
      if (!worthRepeating(error) || Date.now() + delay > giveUp) throw error;
      failures++;
      onReconnect(error);
      await sleep(delay);
    }
  }
}

// Streams one part of a finished job's result into a file, which is there once it is complete.
export async function readPart(client, jobId, part, path) {
  const file = await open(`${path}.part`, 'w');
  try {
    for (let failures = 0, offset = 0; ; ) {
      try {
        const stream = client.readJobResult({jobId, part, offset}, {deadline: Date.now() + CALL_MS});
        for await (const chunk of stream) {
          await file.write(chunk.data);
          offset += chunk.data.length;
          failures = 0;
        }
        break;
      } catch (error) {
        if (++failures === ATTEMPTS || !worthRepeating(error)) throw error;
        await sleep(delayAfter(error, failures));
      }
    }
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}

// A video, which is plain HTTP, into a file, which is there once it is complete.
export async function download(url, path) {
  const answer = await fetch(url, {signal: AbortSignal.timeout(CALL_MS)});
  if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}

// What went wrong and what to do, for people.
export function explain(error) {
  const info = detail(error, 'ErrorInfo');
  const lines = [`${grpc.status[error.code]}: ${error.details}`];
  if (info) lines.push(`  reason: ${info.reason}`);
  for (const {field, description} of detail(error, 'BadRequest')?.fieldViolations ?? []) {
    lines.push(`  field ${field}: ${description}`);
  }
  if (broken(error)) lines.push("  said by: gRPC's library or a proxy, not by the gateway");
  lines.push(`  what to do: ${advice(error, info?.reason)}`);
  return lines.join('\n');
}

// Whether the gateway itself made this status, and not gRPC's library or a proxy on the way.
export const fromGateway = (error) => detail(error, 'ErrorInfo')?.domain === DOMAIN;
export const isGrpcError = (error) => error.code in grpc.status && 'metadata' in error;
export const isNotFound = (error) => error.code === grpc.status.NOT_FOUND;

function advice(error, reason) {
  const told = toldDelay(error);
  if (told !== undefined) return `try again in ${told / 1000} s, with the same requestId`;
  if (reason === 'UPSTREAM_CREDENTIALS') {
    return 'the operator of the gateway must set a valid Pictory API key';
  }
  switch (error.code) {
    case grpc.status.INVALID_ARGUMENT:
      return 'correct the request; the same one is refused again';
    case grpc.status.NOT_FOUND:
      return 'check the id; listJobs shows the jobs there are';
    case grpc.status.UNAVAILABLE:
      return 'check PICTORY_GATEWAY and that the gateway runs, then try again with the same requestId';
    case grpc.status.DEADLINE_EXCEEDED:
      return 'try again: the same requestId finds out what became of it';
    default:
      if (broken(error)) {
        return 'the connection broke; try again: the same requestId finds out what became of it';
      }
      return 'see the table of errors in the README of the gateway';
  }
}

// The standard error detail of this name (google.rpc.*), or undefined.
function detail(error, name) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return undefined;
  const read = (type, value) => definition[`google.rpc.${type}`].deserialize(value);
  const packed = read('Status', bytes).details.find((d) => d.typeUrl.endsWith(`/google.rpc.${name}`));
  return packed && read(name, packed.value);
}

function toldDelay(error) {
  const delay = detail(error, 'RetryInfo')?.retryDelay;
  return delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : undefined;
}

// Whether the way to the gateway broke, which says nothing of the call. Proxies and libraries have many
// names for that; other codes are final whoever says so, such as a limit on message sizes.
function broken(error) {
  const {UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED, DEADLINE_EXCEEDED} = grpc.status;
  return [UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED, DEADLINE_EXCEEDED].includes(error.code) &&
    !fromGateway(error);
}

// A connection that broke, or a refusal that says when to come back (RetryInfo).
function worthRepeating(error) {
  return broken(error) || toldDelay(error) !== undefined ||
    [grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED].includes(error.code);
}

// What the gateway asked for and a little more, else full jitter that doubles.
function delayAfter(error, failures) {
  const between = (low, high) => low + Math.random() * (high - low);
  const told = toldDelay(error);
  if (told !== undefined) return told + between(0, Math.min(1000, 0.2 * told));
  return between(FIRST_DELAY_MS, Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures + 1, 10)));
}

// The messages of a stream, which is cancelled after so long a silence.
async function* untilSilent(stream, ms) {
  stream.on('error', () => {}); // what comes after the last read is nobody's business
  let timer;
  const arm = () => { timer = setTimeout(() => stream.cancel(), ms); };
  try {
    arm();
    for await (const message of stream) {
      clearTimeout(timer);
      yield message;
      arm();
    }
  } finally {
    clearTimeout(timer);
    stream.cancel();
  }
}
