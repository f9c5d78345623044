// The resuming watch.
import {setTimeout as sleep} from 'node:timers/promises';

import {retryAfter} from './errors.js';

const SILENCE_MS = 75_000; // the gateway sends a heartbeat every 25 s
const PATIENCE_MS = 600_000;

// A reader slower than the job misses states in between, never the last one. Broken connections and restarts of
// the gateway are bridged; `onReconnect` hears of them. To go on where another process stopped, give the
// `revision` it saw last.
export async function* watch(client, jobId, {
  afterRevision = 0, silenceMs = SILENCE_MS, patienceMs = PATIENCE_MS, onReconnect = () => {},
} = {}) {
  for (let failures = 0, broke = 0; ; failures++) {
    const stream = client.watchJob({jobId, afterRevision});
    const alarm = setTimeout(() => stream.cancel(), silenceMs);
    try {
      for await (const {event, job} of stream) {
        alarm.refresh();
        failures = 0;
        if (event !== 'job') continue; // a heartbeat: nothing new
        afterRevision = job.revision;
        yield job;
      }
      return; // the gateway ends a stream so only after the final state
    } catch (error) {
      const pause = retryAfter(error, failures);
      if (failures === 0) broke = Date.now();
      if (pause === undefined || Date.now() + pause > broke + patienceMs) throw error;
      onReconnect(error);
      await sleep(pause);
    } finally {
      clearTimeout(alarm);
      stream.on('error', () => {}).cancel(); // what comes after the last read is nobody's business
    }
  }
}
