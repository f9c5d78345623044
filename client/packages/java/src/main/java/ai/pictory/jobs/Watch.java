package ai.pictory.jobs;

import ai.pictory.jobs.v1.GetJobRequest;
import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.WatchJobRequest;
import ai.pictory.jobs.v1.WatchJobResponse;
import io.grpc.StatusRuntimeException;
import java.util.function.Consumer;

/** The resuming watch. */
public final class Watch {
  /**
   * Calls {@code each} with the present state of a job and each newer one, and returns the final one. Goes on over
   * broken connections and restarts of the gateway, for as long as {@code Limits.patience} without a word, until its
   * thread is interrupted, its Context or the stub's deadline ends, or the channel is shut down; {@code lost} hears of
   * them. The request's after_revision is the revision seen last; if that is the final one, {@code each} is not called.
   */
  public static Job watch(PictoryJobsBlockingStub jobs, WatchJobRequest request, Consumer<Job> each,
      Consumer<StatusRuntimeException> lost) throws InterruptedException {
    Patience patience = new Patience(jobs, Integer.MAX_VALUE);
    WatchJobRequest.Builder next = request.toBuilder();
    boolean known = request.getAfterRevision() > 0; // and nothing came yet
    while (true) {
      try (Attempt<WatchJobResponse> stream = new Attempt<>(() -> jobs.watchJob(next.build()))) {
        while (stream.hasNext()) {
          WatchJobResponse event = stream.next();
          patience.heard();
          known = false;
          if (!event.hasJob()) continue; // a heartbeat: nothing new
          next.setAfterRevision(event.getJob().getRevision());
          each.accept(event.getJob());
          if (Results.isFinal(event.getJob().getState())) return event.getJob();
        }
        if (known) { // that one was final
          GetJobRequest.Builder get = GetJobRequest.newBuilder().setJobId(request.getJobId());
          return jobs.getJob(get.setView(request.getView()).build()).getJob();
        }
        throw new Attempt.Lost("the stream ended before the job did");
      } catch (Attempt.Lost broken) {
        patience.pauseAfter(broken.error, lost);
      }
    }
  }

  private Watch() {}
}
