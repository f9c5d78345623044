package ai.pictory.jobs;

import io.grpc.Context;
import java.util.Iterator;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Ends a stream that says nothing. The gateway sends a heartbeat every 25 s. */
final class Silence {
  private static final long SECONDS = 75;

  private static final ScheduledExecutorService CLOCK =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "pictory-watch-clock");
            thread.setDaemon(true);
            return thread;
          });

  static boolean hasNext(Iterator<?> events, Context.CancellableContext attempt) {
    ScheduledFuture<?> alarm = CLOCK.schedule(() -> attempt.cancel(null), SECONDS, TimeUnit.SECONDS);
    try {
      return events.hasNext();
    } finally {
      alarm.cancel(false);
    }
  }

  private Silence() {}
}
