// A connection, and calls that are repeated only where that is safe.
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {FIRST_DELAY_MS, isGrpcError, MAX_DELAY_MS, mayHaveBeenTaken, retryAfter} from './errors.js';
import {ATTEMPTS, KEEPALIVE_ANSWER_MS, KEEPALIVE_MS} from './patience.js';

const CALL_MS = 60_000;

const definition = protoLoader.loadSync('pictory/jobs/v1/pictory_jobs.proto', {
  includeDirs: [fileURLToPath(new URL('protos', import.meta.url))],
  keepCase: false, // videoName, as in Pictory's own JSON
  enums: String,
  longs: String, // the seconds of a Timestamp only
  defaults: true, // but what is `optional` and not set stays undefined
  oneofs: true, // message.event and job.result name the member that is set
});
const api = grpc.loadPackageDefinition(definition).pictory.jobs.v1;
const serviceConfig = readFileSync(new URL('service_config.json', import.meta.url), 'utf8');

// What every call carries. grpc-js does not read waitForReady from the service config.
const identified = (metadata) => (options, next) => new grpc.InterceptingCall(next(options), {
  start(headers, listener, begin) {
    headers.setOptions({waitForReady: true, ...headers.getOptions()});
    const own = typeof metadata === 'function' ? metadata() : metadata;
    for (const [name, value] of Object.entries(own ?? {})) headers.set(name, value);
    begin(headers, listener);
  },
});

// `credentials`: those of grpc.credentials, for TLS. `metadata`: what shows who calls, or a function that gives it for
// each call.
export function connect(address = process.env.PICTORY_GATEWAY ?? '127.0.0.1:50051',
  {credentials = grpc.credentials.createInsecure(), metadata} = {}) {
  return new api.PictoryJobs(address, credentials, {
    interceptors: [identified(metadata)],
    'grpc.service_config': serviceConfig,
    // gRPC itself waits up to two minutes before it connects again; a watch wants to go on sooner.
    'grpc.initial_reconnect_backoff_ms': FIRST_DELAY_MS,
    'grpc.max_reconnect_backoff_ms': MAX_DELAY_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_MS, // pings show whether a connection is still there
    'grpc.keepalive_timeout_ms': KEEPALIVE_ANSWER_MS,
  });
}

// What only reads is repeated by the service config, where that is safe.
function attemptsOf(client, method, request) {
  const {requestType} = client[method];
  if (!requestType.type.field.some(({name}) => name === 'requestId')) return 1;
  if (!request.requestId) {
    throw new TypeError('a submit that may be repeated needs a requestId, or it may be paid for twice');
  }
  return ATTEMPTS;
}

// One attempt.
function send(client, method, request, ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => attempt.cancel();
    const attempt = client[method](request, {deadline: Date.now() + ms}, (error, answer) => {
      signal?.removeEventListener('abort', end);
      error ? reject(error) : resolve(answer);
    });
    signal?.addEventListener('abort', end);
  });
}

export async function call(client, method, request, {ms = CALL_MS, signal} = {}) {
  const attempts = attemptsOf(client, method, request);
  const deadline = performance.now() + ms;
  let taken = false; // or it may have been
  for (let failures = 0; ; failures++) {
    try {
      signal?.throwIfAborted();
      return await send(client, method, request, deadline - performance.now(), signal);
    } catch (error) {
      if (isGrpcError(error)) taken ||= mayHaveBeenTaken(error);
      const last = signal?.aborted ? signal.reason : error;
      const pause = isGrpcError(last) ? retryAfter(last, failures) : undefined;
      if (failures + 1 >= attempts || pause === undefined || performance.now() + pause > deadline) {
        if (last instanceof Error) last.mayHaveBeenTaken = taken;
        throw last;
      }
      await sleep(pause, undefined, {signal}).catch(() => {}); // the next attempt sees why
    }
  }
}
