// The resuming watch.
import type {Client} from '@connectrpc/connect';

import {Patience, Silence} from './patience.js';
import type {PictoryJobs} from './pictory/jobs/v1/pictory_jobs_pb.js';

export type Jobs = Client<typeof PictoryJobs>;

export interface WatchOptions {
  /** The one seen last, to go on from there. */
  afterRevision?: number;
  /** Ends the watch, wherever it is; the job goes on. */
  signal?: AbortSignal;
  /** A stream without a word for so long is dead; the gateway sends a heartbeat every 25 s. */
  silenceMs?: number;
  /** How long a watch looks for a gateway that has gone. */
  patienceMs?: number;
  lost?: (error: unknown) => void;
}

/** Yields the present state of the job and each newer one, the final one last, over broken connections and restarts. */
export async function* watch(jobs: Jobs, jobId: string, options: WatchOptions = {}) {
  const {signal, silenceMs, patienceMs, lost} = options;
  const failing = new Patience({ms: patienceMs, signal});
  for (let afterRevision = options.afterRevision ?? 0; ; ) {
    const silence = new Silence(silenceMs, signal);
    try {
      for await (const {event} of jobs.watchJob({jobId, afterRevision}, {signal: silence.signal})) {
        silence.heard();
        failing.heard();
        if (event.case !== 'job') continue; // a heartbeat: nothing new
        afterRevision = event.value.revision;
        yield event.value;
      }
      return; // the gateway ends a stream so only after the final state
    } catch (error) {
      await failing.pauseAfter(error, lost);
    } finally {
      silence.end();
    }
  }
}
