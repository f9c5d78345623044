package ai.pictory.jobs;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One stream, which ends with this, or when it says nothing for too long. Only the stream has the Context that ends so:
 * what its reader calls meanwhile goes on.
 */
final class Attempt<T> implements AutoCloseable {
  private static final ScheduledThreadPoolExecutor CLOCK = clock();

  private final Context.CancellableContext context = Context.current().withCancellation();
  private final Iterator<T> messages;
  private volatile boolean silent;

  Attempt(Supplier<Iterator<T>> begin) {
    Context before = context.attach();
    try {
      messages = begin.get();
    } finally {
      context.detach(before);
    }
  }

  private static ScheduledThreadPoolExecutor clock() {
    ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(work, "pictory-silence-clock");
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true); // or each alarm stays until its time
    return clock;
  }

  /** The stream broke, and not what its reader makes of it. */
  static final class Lost extends Exception {
    final StatusRuntimeException error;

    Lost(StatusRuntimeException error) {
      super(error);
      this.error = error;
    }

    Lost(String why) {
      this(Status.UNAVAILABLE.withDescription(why).asRuntimeException());
    }
  }

  boolean hasNext() throws Lost {
    ScheduledFuture<?> alarm = CLOCK.schedule(this::giveUp, Limits.silence.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return messages.hasNext();
    } catch (StatusRuntimeException error) {
      if (!silent) throw new Lost(error);
      throw new Lost("the stream said nothing for " + Limits.silence.toMillis() / 1e3 + " s");
    } finally {
      alarm.cancel(false);
    }
  }

  T next() {
    return messages.next();
  }

  private void giveUp() {
    silent = true;
    context.cancel(null);
  }

  @Override
  public void close() {
    context.cancel(null);
  }
}
