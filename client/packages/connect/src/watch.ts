// The resuming watch.
import type {Client} from '@connectrpc/connect';

import {endedEarly, messages, Patience} from './patience.js';
import type {PictoryJobs} from './pictory/jobs/v1/pictory_jobs_pb.js';
import {isFinal} from './results.js';

export type Jobs = Client<typeof PictoryJobs>;

export interface StreamOptions {
  /** Ends the watch, wherever it is; the job goes on. */
  signal?: AbortSignal;
  /** A stream without a word for so long is dead; the gateway sends a heartbeat every 25 s. */
  silenceMs?: number;
  /** How long a watch looks for a gateway that has gone. */
  patienceMs?: number;
  lost?: (error: unknown) => void;
}

export interface WatchOptions extends StreamOptions {
  /** The revision seen last, to go on from there; nothing comes if that is the final one. */
  afterRevision?: number;
}

/** Yields the present state of the job and each newer one, the final one last, over broken connections and restarts. */
export async function* watch(jobs: Jobs, jobId: string, options: WatchOptions = {}) {
  const {signal, silenceMs, patienceMs, lost} = options;
  const failing = new Patience({ms: patienceMs, signal});
  let afterRevision = options.afterRevision ?? 0;
  let known = afterRevision > 0; // and nothing came yet
  for (;;) {
    const request = {jobId, afterRevision};
    try {
      for await (const {event} of messages((bounds) => jobs.watchJob(request, bounds), silenceMs, signal)) {
        failing.heard();
        known = false;
        if (event.case !== 'job') continue; // a heartbeat: nothing new
        afterRevision = event.value.revision;
        yield event.value;
        if (isFinal(event.value.state)) return;
      }
      if (known) return; // that one was final
      throw endedEarly();
    } catch (error) {
      await failing.pauseAfter(error, lost);
    }
  }
}
