package com.example;

import ai.pictory.jobs.Connection;
import ai.pictory.jobs.JobFailed;
import ai.pictory.jobs.Limits;
import ai.pictory.jobs.Results;
import ai.pictory.jobs.Watch;
import ai.pictory.jobs.v1.GetJobRequest;
import ai.pictory.jobs.v1.PictoryJobsGrpc;
import ai.pictory.jobs.v1.PictoryJobsGrpc.PictoryJobsBlockingStub;
import ai.pictory.jobs.v1.WatchJobRequest;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Prints what becomes of jobs that failed, and of servers that say nothing.
 *
 * <p>Bounds GATEWAY HOLE URL STUCK FAILED (tests/packages/run says what they are)
 */
public final class Bounds {
  private static int lost;

  private static String file(String url) throws IOException {
    Path path = Path.of("got");
    Files.deleteIfExists(path);
    try {
      Results.download(url, path);
    } catch (IOException error) {
      return Files.exists(path) ? "a piece" : "ended";
    }
    return Files.readString(path);
  }

  public static void main(String[] args) throws Exception {
    Limits.silence = Duration.ofMillis(500);
    Limits.patience = Duration.ofMillis(1500);
    PictoryJobsBlockingStub jobs = PictoryJobsGrpc.newBlockingStub(Connection.to(args[0]));
    PictoryJobsBlockingStub nobody = PictoryJobsGrpc.newBlockingStub(Connection.to(args[1]));
    try {
      Results.mustSucceed(jobs.getJob(GetJobRequest.newBuilder().setJobId(args[4]).build()).getJob());
    } catch (JobFailed failed) {
      System.out.println(failed.getMessage());
    }
    try {
      Watch.watch(nobody, WatchJobRequest.newBuilder().setJobId("j").build(), job -> {}, error -> {});
    } catch (StatusRuntimeException error) {
      System.out.println("hole ended");
    }
    Limits.patience = Duration.ofMinutes(1);
    Context.CancellableContext caller = Context.current().withCancellation();
    Context before = caller.attach();
    try {
      WatchJobRequest stuck = WatchJobRequest.newBuilder().setJobId(args[3]).build();
      Watch.watch(jobs, stuck, job -> {}, error -> { if (++lost == 2) caller.cancel(null); }); // in the pause
    } catch (StatusRuntimeException error) {
      System.out.println("silent lost " + lost);
    } finally {
      caller.detachAndCancel(before, null);
    }
    System.out.println("download " + file(args[2] + "/silent"));
    System.out.println("halves " + file(args[2] + "/halves") + " " + file(args[2] + "/halves"));
    System.exit(0);
  }

  private Bounds() {}
}
