// A connection, and calls that are repeated only where that is safe.
import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {FIRST_DELAY_MS, MAX_DELAY_MS, retryAfter} from './errors.js';
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

export function connect(address = process.env.PICTORY_GATEWAY ?? '127.0.0.1:50051') {
  return new api.PictoryJobs(address, grpc.credentials.createInsecure(), {
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

export async function call(client, method, request, ms = CALL_MS) {
  const attempts = attemptsOf(client, method, request);
  const deadline = Date.now() + ms;
  for (let failures = 0; ; failures++) {
    try {
      return await new Promise((resolve, reject) => {
        client[method](request, {deadline}, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
    } catch (error) {
      const pause = retryAfter(error, failures);
      if (failures + 1 >= attempts || pause === undefined || Date.now() + pause > deadline) throw error;
      await sleep(pause);
    }
  }
}
