// The resuming watch of many jobs.
import type {MessageInitShape} from '@bufbuild/protobuf';

import {endedEarly, messages, Patience} from './patience.js';
import type {WatchJobsRequestSchema} from './pictory/jobs/v1/pictory_jobs_pb.js';
import type {Jobs, StreamOptions} from './watch.js';

/**
 * Yields the events of all jobs that fit the request, without heartbeats: first a list, then each change. It does not end
 * by itself, and goes on over broken connections and restarts; jobs may come again then, their `revision` tells. To go on
 * where another process stopped, put the `resumeToken` of the last event that it has dealt with into the request.
 */
export async function* watchJobs(jobs: Jobs, request: MessageInitShape<typeof WatchJobsRequestSchema>,
  {signal, silenceMs, patienceMs, lost}: StreamOptions = {}) {
  const failing = new Patience({ms: patienceMs, signal});
  let resumeToken = request.resumeToken ?? '';
  for (;;) {
    const next = {...request, resumeToken};
    try {
      for await (const event of messages((bounds) => jobs.watchJobs(next, bounds), silenceMs, signal)) {
        failing.heard();
        ({resumeToken} = event);
        if (event.event.case !== 'heartbeat') yield event;
      }
      throw endedEarly(); // the gateway ends no such stream well, but a proxy may
    } catch (error) {
      await failing.pauseAfter(error, lost);
    }
  }
}
