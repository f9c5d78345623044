// What a finished job has left, into files that are there once they are complete.
import {createWriteStream} from 'node:fs';
import {open, rename} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';

import {ATTEMPTS, messages, Patience, SILENCE_MS} from './patience.js';

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

export async function readPart(client, jobId, part, path, {silenceMs = SILENCE_MS, signal} = {}) {
  const failing = new Patience({attempts: ATTEMPTS, signal});
  const file = await open(`${path}.part`, 'w');
  try {
    for (let offset = 0; ; ) {
      try {
        for await (const {data} of messages(client.readJobResult({jobId, part, offset}), silenceMs, signal)) {
          await file.writeFile(data); // write() may take less than all
          offset += data.length;
          failing.heard();
        }
        break;
      } catch (error) {
        await failing.pauseAfter(error);
      }
    }
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
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
    if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
    const heard = async function* (pieces) {
      for await (const piece of pieces) {
        alarm.refresh();
        yield piece;
      }
    };
    const file = createWriteStream(`${path}.part`);
    await pipeline(Readable.fromWeb(answer.body), heard, file, {signal: silence.signal});
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    clearTimeout(alarm);
    signal?.removeEventListener('abort', end);
  }
  await rename(`${path}.part`, path);
}
