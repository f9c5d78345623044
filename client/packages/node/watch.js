// The resuming watch.
import {messages, Patience, PATIENCE_MS, SILENCE_MS} from './patience.js';

// A reader slower than the job misses states in between, never the last one. Broken connections and restarts of
// the gateway are bridged; `onReconnect` hears of them. To go on where another process stopped, give the
// `revision` it saw last.
export async function* watch(client, jobId, options = {}) {
  const {afterRevision, silenceMs = SILENCE_MS, patienceMs = PATIENCE_MS, onReconnect, signal} = options;
  const failing = new Patience({ms: patienceMs, signal});
  for (let seen = afterRevision ?? 0; ; ) {
    try {
      for await (const {event, job} of messages(client.watchJob({jobId, afterRevision: seen}), silenceMs, signal)) {
        failing.heard();
        if (event !== 'job') continue; // a heartbeat: nothing new
        seen = job.revision;
        yield job;
      }
      return; // the gateway ends a stream so only after the final state
    } catch (error) {
      await failing.pauseAfter(error, onReconnect);
    }
  }
}
