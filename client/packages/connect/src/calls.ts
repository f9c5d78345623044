// A connection, and calls that are repeated only where that is safe.
import {setTimeout as sleep} from 'node:timers/promises';

import type {MessageInitShape, MessageShape} from '@bufbuild/protobuf';
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {createGrpcTransport, type GrpcTransportOptions} from '@connectrpc/connect-node';

import {mayHaveBeenTaken, retryAfter} from './errors.js';
import {ATTEMPTS, KEEPALIVE_ANSWER_MS, KEEPALIVE_MS} from './patience.js';
import {PictoryJobs} from './pictory/jobs/v1/pictory_jobs_pb.js';
import type {Jobs} from './watch.js';

const CALL_MS = 60_000;
// These only read, and no list of Pictory's, as the service config of other languages has it.
const READS = ['getJob', 'batchGetJobs', 'listJobs', 'getUsage', 'getServerInfo', 'listNotifications'];

type Methods = typeof PictoryJobs.method;
/** The methods with one answer. */
export type Unary = {[M in keyof Methods]: Methods[M]['methodKind'] extends 'unary' ? M : never}[keyof Methods];
export type Request<M extends Unary> = MessageInitShape<Methods[M]['input']>;
export type Answer<M extends Unary> = MessageShape<Methods[M]['output']>;

/** A client for host:port, by default that of PICTORY_GATEWAY; of https://host:port with TLS. */
export function connect(address = process.env.PICTORY_GATEWAY ?? '127.0.0.1:50051',
  options: Partial<GrpcTransportOptions> = {}): Jobs {
  const baseUrl = address.includes('://') ? address : `http://${address}`;
  const pings = {pingIntervalMs: KEEPALIVE_MS, pingTimeoutMs: KEEPALIVE_ANSWER_MS};
  return createClient(PictoryJobs, createGrpcTransport({baseUrl, ...pings, ...options}));
}

function attemptsOf(method: Unary, request: object): number {
  if (!PictoryJobs.method[method].input.fields.some(({localName}) => localName === 'requestId')) {
    return READS.includes(method) ? ATTEMPTS : 1;
  }
  if (!('requestId' in request) || !request.requestId) {
    throw new TypeError('a submit that may be repeated needs a requestId, or it may be paid for twice');
  }
  return ATTEMPTS;
}

/**
 * One answer, within so long. A submit must carry a requestId: then a repetition never becomes a second job. What only
 * reads is repeated as well; nothing else is. An error has the property mayHaveBeenTaken, which counts all attempts.
 */
export async function call<M extends Unary>(jobs: Jobs, method: M, request: Request<M>,
  {ms = CALL_MS, signal}: {ms?: number; signal?: AbortSignal} = {}): Promise<Answer<M>> {
  const attempts = attemptsOf(method, request as object);
  const deadline = performance.now() + ms;
  const send = jobs[method] as unknown as (request: Request<M>, options: object) => Promise<Answer<M>>;
  let taken = false; // or it may have been
  for (let failures = 0; ; failures++) {
    try {
      const timeoutMs = Math.floor(deadline - performance.now()); // whole ones, for the header
      // To Connect, nothing left is no bound at all.
      if (timeoutMs <= 0) throw new ConnectError('no answer came in time', Code.DeadlineExceeded);
      return await send(request, {timeoutMs, signal});
    } catch (error) {
      taken ||= mayHaveBeenTaken(error);
      const pause = retryAfter(error, failures);
      if (failures + 1 === attempts || pause === undefined || signal?.aborted || performance.now() + pause > deadline) {
        throw Object.assign(ConnectError.from(error), {mayHaveBeenTaken: taken});
      }
      await sleep(pause, undefined, {signal}).catch((why) => {
        throw Object.assign(why, {mayHaveBeenTaken: taken});
      });
    }
  }
}
