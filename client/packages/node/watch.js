// The resuming watch.
import {endedEarly, messages, Patience, PATIENCE_MS, SILENCE_MS} from './patience.js';
import {isFinal} from './results.js';

// A reader slower than the job misses states in between, never the last one. Broken connections and restarts of
// the gateway are bridged; `onReconnect` hears of them. To go on where another process stopped, give the
// `revision` it saw last; nothing comes if that is the final one.
export async function* watch(client, jobId, options = {}) {
  const {afterRevision, silenceMs = SILENCE_MS, patienceMs = PATIENCE_MS, onReconnect, signal} = options;
  const failing = new Patience({ms: patienceMs, signal});
  let seen = afterRevision ?? 0;
  let known = seen > 0; // and nothing came yet
  for (;;) {
    try {
      for await (const {event, job} of messages(client.watchJob({jobId, afterRevision: seen}), silenceMs, signal)) {
        failing.heard();
        known = false;
        if (event !== 'job') continue; // a heartbeat: nothing new
        seen = job.revision;
        yield job;
        if (isFinal(job.state)) return;
      }
      if (known) return; // that one was final
      throw endedEarly();
    } catch (error) {
      await failing.pauseAfter(error, onReconnect);
    }
  }
}
