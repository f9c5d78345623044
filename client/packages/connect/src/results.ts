// What a finished job has left, into files that are there once they are complete.
import {createWriteStream} from 'node:fs';
import {rename} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';

import {ATTEMPTS, Patience, Silence} from './patience.js';
import {JobState, type Job, type ResultPart} from './pictory/jobs/v1/job_pb.js';
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

/** Streams one part of a finished job's result into a file, and goes on where a connection broke. */
export async function readPart(jobs: Jobs, jobId: string, part: ResultPart, path: string,
  {silenceMs, signal}: ReadOptions = {}): Promise<void> {
  async function* pieces() {
    const failing = new Patience({attempts: ATTEMPTS, signal});
    for (let offset = 0; ; ) {
      const silence = new Silence(silenceMs, signal);
      try {
        for await (const {data} of jobs.readJobResult({jobId, part, offset}, {signal: silence.signal})) {
          silence.heard();
          failing.heard();
          offset += data.length;
          yield data;
        }
        return;
      } catch (error) {
        await failing.pauseAfter(error);
      } finally {
        silence.end();
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
    if (!answer.ok || !answer.body) throw new Error(`${url}: HTTP ${answer.status}`);
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

// A file that is there once it is complete.
async function into(path: string, bytes: Readable) {
  await pipeline(bytes, createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
