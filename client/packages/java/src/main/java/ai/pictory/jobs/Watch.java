package ai.pictory.jobs;

import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.WatchJobRequest;
import ai.pictory.jobs.v1.WatchJobResponse;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.function.Consumer;

/** The resuming watch. */
public final class Watch {
  /**
   * Calls {@code each} with the present state of a job and each newer one, and returns the final one. Goes on over
   * broken connections and restarts of the gateway until its thread is interrupted; {@code lost} hears of them. The
   * request's after_revision is the revision seen last.
   */
  public static Job watch(PictoryJobsBlockingStub jobs, WatchJobRequest request, Consumer<Job> each, Consumer<StatusRuntimeException> lost) throws InterruptedException {
    Job job = Job.getDefaultInstance();
    for (int failures = 0; ; failures++) {
      Context.CancellableContext attempt = Context.current().withCancellation();
      Context before = attempt.attach();
      try {
        Iterator<WatchJobResponse> events = jobs.watchJob(request);
        while (Silence.hasNext(events, attempt)) {
          WatchJobResponse event = events.next();
          if (!event.hasJob()) continue; // a heartbeat: nothing new
          job = event.getJob();
          failures = 0;
          request = request.toBuilder().setAfterRevision(job.getRevision()).build();
          each.accept(job);
        }
        return job; // the gateway ends a stream so only after the final state
      } catch (StatusRuntimeException error) {
        if (Thread.interrupted()) throw new InterruptedException();
        Duration pause = Errors.retryAfter(error, failures).orElseThrow(() -> error);
        lost.accept(error);
        Thread.sleep(pause.toMillis());
      } finally {
        attempt.detachAndCancel(before, null);
      }
    }
  }

  private Watch() {}
}
