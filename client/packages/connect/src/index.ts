// What a client of the Pictory jobs gateway needs beyond the generated code, on Connect. Errors are Connect's own.
import {createWriteStream} from 'node:fs';
import {rename} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {ReadableStream} from 'node:stream/web';
import {setTimeout as sleep} from 'node:timers/promises';

import {createClient} from '@connectrpc/connect';
import {createGrpcTransport, type GrpcTransportOptions} from '@connectrpc/connect-node';

import {retryAfter} from './errors.js';
import type {ResultPart} from './pictory/jobs/v1/job_pb.js';
import {PictoryJobs} from './pictory/jobs/v1/pictory_jobs_pb.js';
import type {Jobs} from './watch.js';

export {fieldViolations, reason, retryAfter} from './errors.js';
export * from './pictory/jobs/v1/account_pb.js';
export * from './pictory/jobs/v1/job_pb.js';
export * from './pictory/jobs/v1/pictory_jobs_pb.js';
export * from './pictory/jobs/v1/project_pb.js';
export * from './pictory/jobs/v1/storyboard_pb.js';
export * from './pictory/jobs/v1/template_pb.js';
export {watch, type Jobs, type WatchOptions} from './watch.js';

const ATTEMPTS = 5;
const CALL_MS = 60_000;

/** A client for host:port, by default that of PICTORY_GATEWAY; of https://host:port with TLS. */
export function connect(address = process.env.PICTORY_GATEWAY ?? '127.0.0.1:50051',
  options: Partial<GrpcTransportOptions> = {}): Jobs {
  const baseUrl = address.includes('://') ? address : `http://${address}`;
  return createClient(PictoryJobs, createGrpcTransport({baseUrl, ...options}));
}

/** One answer of `call`, a submit with a requestId or what only reads, which is repeated where that may help. */
export async function repeat<T>(call: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await call();
    } catch (error) {
      const pause = retryAfter(error, failures);
      if (failures + 1 === ATTEMPTS || pause === undefined) throw error;
      await sleep(pause);
    }
  }
}

/** Streams one part of a finished job's result into a file, and goes on where a connection broke. */
export async function readPart(jobs: Jobs, jobId: string, part: ResultPart, path: string): Promise<void> {
  async function* pieces() {
    for (let failures = 0, offset = 0; ; ) {
      try {
        for await (const {data} of jobs.readJobResult({jobId, part, offset}, {timeoutMs: CALL_MS})) {
          offset += data.length;
          failures = 0;
          yield data;
        }
        return;
      } catch (error) {
        const pause = retryAfter(error, failures);
        if (++failures === ATTEMPTS || pause === undefined) throw error;
        await sleep(pause);
      }
    }
  }
  await into(path, Readable.from(pieces()));
}

/** Brings a video, which is plain HTTP, into a file. */
export async function download(url: string, path: string): Promise<void> {
  const answer = await fetch(url, {signal: AbortSignal.timeout(CALL_MS)});
  if (!answer.ok || !answer.body) throw new Error(`${url}: HTTP ${answer.status}`);
  await into(path, Readable.fromWeb(answer.body as ReadableStream));
}

// A file that is there once it is complete.
async function into(path: string, bytes: Readable) {
  await pipeline(bytes, createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
