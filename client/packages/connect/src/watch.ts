// The resuming watch.
import {setTimeout as sleep} from 'node:timers/promises';

import type {Client} from '@connectrpc/connect';

import {retryAfter} from './errors.js';
import type {PictoryJobs} from './pictory/jobs/v1/pictory_jobs_pb.js';

const SILENCE_MS = 75_000; // the gateway sends a heartbeat every 25 s

export type Jobs = Client<typeof PictoryJobs>;

export interface WatchOptions {
  afterRevision?: number; // the one seen last, to go on from there
  signal?: AbortSignal; // ends the watch, which else looks for a gateway that has gone for ever
  lost?: (error: unknown) => void;
}

/** Yields the present state of the job and each newer one, the final one last, over broken connections and restarts. */
export async function* watch(jobs: Jobs, jobId: string, {afterRevision = 0, signal, lost}: WatchOptions = {}) {
  for (let failures = 0; ; failures++) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    const alarm = setTimeout(end, SILENCE_MS);
    signal?.addEventListener('abort', end);
    try {
      for await (const {event} of jobs.watchJob({jobId, afterRevision}, {signal: attempt.signal})) {
        alarm.refresh();
        if (event.case !== 'job') continue; // a heartbeat: nothing new
        failures = 0;
        afterRevision = event.value.revision;
        yield event.value;
      }
      return; // the gateway ends a stream so only after the final state
    } catch (error) {
      const pause = retryAfter(error, failures);
      if (pause === undefined || signal?.aborted) throw error;
      lost?.(error);
      await sleep(pause);
    } finally {
      clearTimeout(alarm);
    }
  }
}
