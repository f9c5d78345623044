package ai.pictory.jobs;

import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.WatchJobRequest;
import ai.pictory.jobs.v1.WatchJobResponse;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.function.Consumer;

/** The resuming watch. */
public final class Watch {
  /**
   * Calls {@code each} with the present state of a job and each newer one, and returns the final one. Goes on over
   * broken connections and restarts of the gateway, for as long as {@code Limits.patience} without a word, until its
   * thread is interrupted or its Context ends; {@code lost} hears of them. The request's after_revision is the revision
   * seen last.
   */
  public static Job watch(PictoryJobsBlockingStub jobs, WatchJobRequest request, Consumer<Job> each,
      Consumer<StatusRuntimeException> lost) throws InterruptedException {
    Job job = Job.getDefaultInstance();
    Patience patience = new Patience(Integer.MAX_VALUE);
    while (true) {
      try (Attempt attempt = new Attempt()) {
        Iterator<WatchJobResponse> events = jobs.watchJob(request);
        while (attempt.hasNext(events)) {
          WatchJobResponse event = events.next();
          patience.heard();
          if (!event.hasJob()) continue; // a heartbeat: nothing new
          job = event.getJob();
          request = request.toBuilder().setAfterRevision(job.getRevision()).build();
          each.accept(job);
        }
        return job; // the gateway ends a stream so only after the final state
      } catch (StatusRuntimeException error) {
        patience.pauseAfter(error, lost);
      }
    }
  }

  private Watch() {}
}
