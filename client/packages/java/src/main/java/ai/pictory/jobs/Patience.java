package ai.pictory.jobs;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Counts the failures since the gateway was heard last, and ends when they are too many or last too long. */
final class Patience {
  private final int attempts;
  private int failures;
  private long broke;

  Patience(int attempts) {
    this.attempts = attempts;
  }

  void heard() {
    failures = 0;
  }

  /**
   * Waits until it is time to try again. Throws the error instead where that does not help, or not any more: among
   * others where the caller's Context has ended, also meanwhile.
   */
  void pauseAfter(StatusRuntimeException error, Consumer<StatusRuntimeException> tell) throws InterruptedException {
    if (Thread.interrupted()) throw new InterruptedException();
    Duration pause = Errors.retryAfter(error, failures).orElseThrow(() -> error);
    if (failures++ == 0) broke = System.nanoTime();
    Duration left = Limits.patience.minusNanos(System.nanoTime() - broke);
    Context caller = Context.current();
    if (caller.isCancelled() || failures >= attempts || pause.compareTo(left) > 0) throw error;
    tell.accept(error);
    CountDownLatch ended = new CountDownLatch(1);
    Context.CancellationListener end = context -> ended.countDown();
    caller.addListener(end, Runnable::run);
    try {
      if (ended.await(pause.toMillis(), TimeUnit.MILLISECONDS)) throw error;
    } finally {
      caller.removeListener(end);
    }
  }
}
