package ai.pictory.jobs;

import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.WatchJobsRequest;
import ai.pictory.jobs.v1.WatchJobsResponse;
import io.grpc.StatusRuntimeException;
import java.util.function.Consumer;

/** The resuming watch of many jobs. */
public final class WatchJobs {
  /**
   * Calls {@code each} with the events of all jobs that fit the request, without heartbeats: first a list, then each
   * change. It does not return: it goes on over broken connections and restarts of the gateway, for as long as
   * {@code Limits.patience} without a word, until its thread is interrupted, its Context or the stub's deadline ends, or
   * the channel is shut down; {@code lost} hears of them. Jobs may come again then; their revision tells. To go on where
   * another process stopped, put the resume_token of the last event that it has dealt with into the request.
   */
  public static void watch(PictoryJobsBlockingStub jobs, WatchJobsRequest request, Consumer<WatchJobsResponse> each,
      Consumer<StatusRuntimeException> lost) throws InterruptedException {
    Patience patience = new Patience(jobs, Integer.MAX_VALUE);
    WatchJobsRequest.Builder next = request.toBuilder();
    while (true) {
      try (Attempt<WatchJobsResponse> stream = new Attempt<>(() -> jobs.watchJobs(next.build()))) {
        while (stream.hasNext()) {
          WatchJobsResponse event = stream.next();
          patience.heard();
          next.setResumeToken(event.getResumeToken());
          if (!event.hasHeartbeat()) each.accept(event);
        }
        throw new Attempt.Lost("the stream ended before all was said"); // the gateway's does not, but a proxy may
      } catch (Attempt.Lost broken) {
        patience.pauseAfter(broken.error, lost);
      }
    }
  }

  private WatchJobs() {}
}
