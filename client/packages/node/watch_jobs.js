// The resuming watch of many jobs.
import {endedEarly, messages, Patience, PATIENCE_MS, SILENCE_MS} from './patience.js';

// Broken connections and restarts of the gateway are bridged; `onReconnect` hears of them. Jobs may come again then;
// their `revision` tells. To go on where another process stopped, put the `resumeToken` of the last event that it has
// dealt with into the request. It does not end by itself.
export async function* watchJobs(client, request, options = {}) {
  const {silenceMs = SILENCE_MS, patienceMs = PATIENCE_MS, onReconnect, signal} = options;
  const failing = new Patience({ms: patienceMs, signal});
  let {resumeToken} = request;
  for (;;) {
    try {
      for await (const event of messages(client.watchJobs({...request, resumeToken}), silenceMs, signal)) {
        failing.heard();
        ({resumeToken} = event);
        if (event.event !== 'heartbeat') yield event;
      }
      throw endedEarly(); // the gateway ends no such stream well, but a proxy may
    } catch (error) {
      await failing.pauseAfter(error, onReconnect);
    }
  }
}
