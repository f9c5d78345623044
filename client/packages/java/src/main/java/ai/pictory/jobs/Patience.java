package ai.pictory.jobs;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Counts the failures since the gateway was heard last, and ends when they are too many or last too long. */
final class Patience {
  private final AbstractStub<?> stub;
  private final int attempts;
  private int failures;
  private long broke;

  Patience(AbstractStub<?> stub, int attempts) {
    this.stub = stub;
    this.attempts = attempts;
  }

  void heard() {
    failures = 0;
  }

  /**
   * Waits until it is time to try again. Throws the error instead where that does not help, or not any more: among
   * others where the caller's Context has ended, also meanwhile, where the stub's deadline comes first, and where its
   * channel was shut down.
   */
  void pauseAfter(StatusRuntimeException error, Consumer<StatusRuntimeException> tell) throws InterruptedException {
    if (Thread.interrupted()) throw new InterruptedException();
    Duration pause = Errors.retryAfter(error, failures).orElseThrow(() -> error);
    if (failures++ == 0) broke = System.nanoTime();
    Duration left = Limits.patience.minusNanos(System.nanoTime() - broke);
    Context caller = Context.current();
    if (caller.isCancelled() || failures >= attempts || pause.compareTo(left) > 0 || isOver(error, pause)) throw error;
    tell.accept(error);
    CountDownLatch ended = new CountDownLatch(1);
    Context.CancellationListener end = context -> ended.countDown();
    caller.addListener(end, Runnable::run);
    try {
      if (ended.await(pause.toMillis(), TimeUnit.MILLISECONDS)) throw error;
    } finally {
      caller.removeListener(end);
    }
    // Or gRPC itself goes on with a pause of up to two minutes.
    if (stub.getChannel() instanceof ManagedChannel channel) channel.resetConnectBackoff();
  }

  private boolean isOver(StatusRuntimeException error, Duration pause) {
    Deadline deadline = stub.getCallOptions().getDeadline();
    if (deadline != null && deadline.timeRemaining(TimeUnit.NANOSECONDS) <= pause.toNanos()) return true;
    String why = error.getStatus().getDescription();
    return why != null && why.startsWith("Channel shutdown"); // gRPC's words, also behind interceptors
  }
}
