// What a finished job has left, into files that are there once they are complete.
import {createWriteStream} from 'node:fs';
import {open, rename} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setTimeout as sleep} from 'node:timers/promises';

import {ATTEMPTS, CALL_MS} from './calls.js';
import {retryAfter} from './errors.js';

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
        const pause = retryAfter(error, failures);
        if (++failures === ATTEMPTS || pause === undefined) throw error;
        await sleep(pause);
      }
    }
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}

export async function download(url, path) {
  const answer = await fetch(url, {signal: AbortSignal.timeout(CALL_MS)});
  if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
