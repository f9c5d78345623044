// What a finished job has left, into files that are there once they are complete.
import {randomUUID} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {open, rename, rm} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';

import grpc from '@grpc/grpc-js';

import {failure} from './errors.js';
import {ATTEMPTS, endedEarly, messages, Patience, SILENCE_MS} from './patience.js';

// A job that has ended, and not with SUCCEEDED. Pictory's reason is its words; `job` is the whole.
export class JobFailed extends Error {
  constructor(job) {
    const words = [job.jobId, job.state.replace('JOB_STATE_', ''), job.error?.code, job.error?.message];
    super(words.filter(Boolean).join(' '));
    this.name = 'JobFailed';
    this.job = job;
  }
}

export function mustSucceed(job) {
  if (job.state !== 'JOB_STATE_SUCCEEDED') throw new JobFailed(job);
  return job;
}

const FINAL = ['SUCCEEDED', 'FAILED', 'EXPIRED', 'CLEANED', 'OUTCOME_UNKNOWN', 'CANCELLED'];

// Whether a job stays in this state. One that a newer gateway has, and this package does not know, is not final.
export const isFinal = (state) => FINAL.some((each) => state === `JOB_STATE_${each}`);

// A file that is there once it is complete. Until then it has a name that nobody else writes to.
async function into(path, write) {
  const partial = `${path}.${randomUUID()}.part`;
  try {
    await write(partial);
    await rename(partial, path);
  } finally {
    await rm(partial, {force: true});
  }
}

// The length of the whole, if the piece belongs at `at`.
function totalOf({data, offset, totalBytes}, at, total) {
  if (offset !== at || at + data.length > totalBytes || ![undefined, totalBytes].includes(total)) {
    throw failure(grpc.status.DATA_LOSS, 'the pieces of the result do not fit together');
  }
  return totalBytes;
}

export async function readPart(client, jobId, part, path, {silenceMs = SILENCE_MS, signal} = {}) {
  const failing = new Patience({attempts: ATTEMPTS, signal});
  await into(path, async (partial) => {
    const file = await open(partial, 'wx');
    try {
      let total;
      for (let offset = 0; offset !== total; ) {
        try {
          for await (const chunk of messages(client.readJobResult({jobId, part, offset}), silenceMs, signal)) {
            total = totalOf(chunk, offset, total);
            await file.writeFile(chunk.data); // write() may take less than all
            offset += chunk.data.length;
            if (chunk.data.length > 0) failing.heard();
            if (offset === total) break;
          }
          if (total === undefined) break; // the part is empty
          if (offset < total) throw endedEarly();
        } catch (error) {
          await failing.pauseAfter(error);
        }
      }
    } finally {
      await file.close();
    }
  });
}

// The video comes in one answer or not at all: the rest of a second one could be another video's.
export async function download(url, path, {silenceMs = SILENCE_MS, signal} = {}) {
  const silence = new AbortController();
  const late = () => silence.abort(new Error(`${url}: nothing came for ${silenceMs} ms`));
  const alarm = setTimeout(late, silenceMs);
  const end = () => silence.abort(signal.reason);
  signal?.addEventListener('abort', end);
  try {
    if (signal?.aborted) end();
    const answer = await fetch(url, {signal: silence.signal});
    if (!answer.ok) {
      await answer.body?.cancel(); // or the connection stays
      throw new Error(`${url}: HTTP ${answer.status}`);
    }
    const heard = async function* (pieces) {
      for await (const piece of pieces) {
        alarm.refresh();
        yield piece;
      }
    };
    await into(path, (partial) => pipeline(
      Readable.fromWeb(answer.body), heard, createWriteStream(partial, {flags: 'wx'}), {signal: silence.signal}));
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    clearTimeout(alarm);
    signal?.removeEventListener('abort', end);
  }
}
