package ai.pictory.jobs;

import io.grpc.Context;
import java.util.Iterator;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** The Context of one stream of this thread, which ends with the stream, or when that says nothing for too long. */
final class Attempt implements AutoCloseable {
  private static final ScheduledExecutorService CLOCK =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "pictory-silence-clock");
            thread.setDaemon(true);
            return thread;
          });

  private final Context.CancellableContext context = Context.current().withCancellation();
  private final Context before = context.attach();

  boolean hasNext(Iterator<?> messages) {
    Runnable end = () -> context.cancel(null);
    ScheduledFuture<?> alarm = CLOCK.schedule(end, Limits.silence.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return messages.hasNext();
    } finally {
      alarm.cancel(false);
    }
  }

  @Override
  public void close() {
    context.detachAndCancel(before, null);
  }
}
