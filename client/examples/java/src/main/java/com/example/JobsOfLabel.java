package com.example;

import ai.pictory.jobs.Connection;
import ai.pictory.jobs.Errors;
import ai.pictory.jobs.WatchJobs;
import ai.pictory.jobs.v1.Job;
import ai.pictory.jobs.v1.PictoryJobsGrpc;
import ai.pictory.jobs.v1.WatchJobsRequest;
import ai.pictory.jobs.v1.WatchJobsResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.HashMap;
import java.util.Map;

/**
 * Prints each change of all jobs with a label, over breaks of the connection and restarts of the gateway.
 *
 * <pre>java -cp target/story.jar com.example.JobsOfLabel batch=monday</pre>
 */
public final class JobsOfLabel {
  private static final Map<String, Integer> revisions = new HashMap<>();

  private static void tell(WatchJobsResponse event) {
    if (event.hasGoneJobId()) revisions.remove(event.getGoneJobId());
    Job job = event.getJob();
    if (!event.hasJob() || revisions.getOrDefault(job.getJobId(), 0) >= job.getRevision()) return;
    revisions.put(job.getJobId(), job.getRevision());
    System.out.println(job.getJobId() + " " + job.getRevision() + " " + job.getState());
  }

  public static void main(String[] args) throws Exception {
    String[] label = args[0].split("=", 2);
    ManagedChannel channel = Connection.to(System.getenv("PICTORY_GATEWAY"));
    WatchJobsRequest request = WatchJobsRequest.newBuilder().putLabels(label[0], label[1]).build();
    try {
      WatchJobs.watch(PictoryJobsGrpc.newBlockingStub(channel), request, JobsOfLabel::tell,
          lost -> System.err.println("connection lost (" + lost.getStatus() + "); trying again"));
    } catch (StatusRuntimeException error) {
      System.err.println(error.getStatus() + ": " + Errors.reason(error));
      System.exit(5);
    }
  }

  private JobsOfLabel() {}
}
