// What a finished job has left, into files that are there once they are complete.
import {randomUUID} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {rename, rm} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';

import {Code, ConnectError} from '@connectrpc/connect';

import {ATTEMPTS, endedEarly, messages, Patience, Silence} from './patience.js';
import {JobState, type Job, type ResultPart} from './pictory/jobs/v1/job_pb.js';
import type {ReadJobResultResponse} from './pictory/jobs/v1/pictory_jobs_pb.js';
import type {Jobs} from './watch.js';

/** A job that has ended, and not with SUCCEEDED. Pictory's reason is the message. */
export class JobFailed extends Error {
  constructor(readonly job: Job) {
    super([job.jobId, JobState[job.state], job.error?.code, job.error?.message].filter(Boolean).join(' '));
    this.name = 'JobFailed';
  }
}

/** The job, which has its result; throws JobFailed if it has none. */
export function mustSucceed(job: Job): Job {
  if (job.state !== JobState.SUCCEEDED) throw new JobFailed(job);
  return job;
}

export interface ReadOptions {
  /** One that brings nothing for so long is given up. */
  silenceMs?: number;
  signal?: AbortSignal;
}

const FINAL = [JobState.SUCCEEDED, JobState.FAILED, JobState.EXPIRED, JobState.CLEANED, JobState.OUTCOME_UNKNOWN,
  JobState.CANCELLED];

/** Whether a job stays in this state. One that a newer gateway has, and this package does not know, is not final. */
export const isFinal = (state: JobState) => FINAL.includes(state);

/** The length of the whole, if the piece belongs at `at`. */
function totalOf({data, offset, totalBytes}: ReadJobResultResponse, at: number, total?: number): number {
  if (offset !== at || at + data.length > totalBytes || ![undefined, totalBytes].includes(total)) {
    throw new ConnectError('the pieces of the result do not fit together', Code.DataLoss);
  }
  return totalBytes;
}

/** Streams one part of a finished job's result into a file, and goes on where a connection broke. */
export async function readPart(jobs: Jobs, jobId: string, part: ResultPart, path: string,
  {silenceMs, signal}: ReadOptions = {}): Promise<void> {
  async function* pieces() {
    const failing = new Patience({attempts: ATTEMPTS, signal});
    let total: number | undefined;
    for (let offset = 0; offset !== total; ) {
      const request = {jobId, part, offset};
      try {
        for await (const chunk of messages((bounds) => jobs.readJobResult(request, bounds), silenceMs, signal)) {
          total = totalOf(chunk, offset, total);
          offset += chunk.data.length;
          if (chunk.data.length > 0) failing.heard();
          yield chunk.data;
          if (offset === total) break;
        }
        if (total === undefined) return; // the part is empty
        if (offset < total) throw endedEarly();
      } catch (error) {
        await failing.pauseAfter(error);
      }
    }
  }
  await into(path, Readable.from(pieces()));
}

/**
 * Brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one could
 * be another video's.
 */
export async function download(url: string, path: string, {silenceMs, signal}: ReadOptions = {}): Promise<void> {
  const silence = new Silence(silenceMs, signal);
  try {
    const answer = await fetch(url, {signal: silence.signal});
    if (!answer.ok || !answer.body) {
      await answer.body?.cancel(); // or the connection stays
      throw new Error(`${url}: HTTP ${answer.status}`);
    }
    const body = answer.body;
    async function* pieces() {
      for await (const piece of body) {
        silence.heard();
        yield piece;
      }
    }
    await into(path, Readable.from(pieces()));
  } finally {
    silence.end();
  }
}

// A file that is there once it is complete. Until then it has a name that nobody else writes to.
async function into(path: string, bytes: Readable) {
  const partial = `${path}.${randomUUID()}.part`;
  try {
    await pipeline(bytes, createWriteStream(partial, {flags: 'wx'}));
    await rename(partial, path);
  } finally {
    await rm(partial, {force: true});
  }
}
